# %% a label: train on a table, and measure on a held-out part
from datasets import load_dataset
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.metrics import accuracy_score

data = load_dataset("csv", data_files="reviews.csv")["train"].train_test_split(test_size=0.1)
names = sorted(set(data["train"]["label"]))
trainer = Trainer(
    model=SetFitModel.from_pretrained(ENCODER, labels=names),
    args=TrainingArguments(num_iterations=5),
    train_dataset=data["train"],
)
trainer.train()
print(accuracy_score(data["test"]["label"], trainer.model.predict(data["test"]["text"])))
trainer.model.save_pretrained("reviews")
# %% predict: labels and probabilities of new texts
from setfit import SetFitModel

model, texts = SetFitModel.from_pretrained("reviews"), ["Worth every minute."]
print(model.predict(texts), model.predict_proba(texts))
# %% several labels of a text, without thresholds of their own
from datasets import load_dataset
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

data = load_dataset("csv", data_files="feedback.csv")["train"]
binarizer = MultiLabelBinarizer().fit([(row or "").split(",") for row in data["topics"]])
targets = binarizer.transform([(row or "").split(",") for row in data["topics"]])
data = data.add_column("label", targets.tolist()).train_test_split(test_size=0.1)
trainer = Trainer(
    model=SetFitModel.from_pretrained(ENCODER, multi_target_strategy="one-vs-rest"),
    args=TrainingArguments(num_iterations=5),
    train_dataset=data["train"],
)
trainer.train()
predicted = trainer.model.predict(data["test"]["text"])
print(f1_score(data["test"]["label"], predicted, average="micro"))
# %% answers: a label
answers = list(SetFitModel.from_pretrained("reviews").predict(texts))
# %% answers: several labels
answers = [binarizer.classes_[row == 1].tolist() for row in trainer.model.predict(texts).numpy()]
