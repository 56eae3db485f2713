# %% a label: train on a table, and measure on a held-out part
import numpy as np
from datasets import load_dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

data = load_dataset("csv", data_files="reviews.csv")["train"].class_encode_column("label")
data = data.train_test_split(test_size=0.1, stratify_by_column="label")
names = data["train"].features["label"].names
tokenizer = AutoTokenizer.from_pretrained(ENCODER)
data = data.map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)
model = AutoModelForSequenceClassification.from_pretrained(
    ENCODER,
    id2label=dict(enumerate(names)),
    label2id={name: number for number, name in enumerate(names)},
)
trainer = Trainer(
    model,
    TrainingArguments("out"),
    train_dataset=data["train"],
    eval_dataset=data["test"],
    data_collator=DataCollatorWithPadding(tokenizer),
    compute_metrics=lambda p: {"accuracy": np.mean(p.predictions.argmax(-1) == p.label_ids)},
)
trainer.train()
print(trainer.evaluate()["eval_accuracy"])
trainer.save_model("reviews")
tokenizer.save_pretrained("reviews")
# %% predict: labels and probabilities of new texts
from transformers import pipeline

print(pipeline("text-classification", "reviews", top_k=None)(["Worth every minute."]))
# %% several labels of a text, without thresholds of their own
import numpy as np
from datasets import load_dataset
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

data = load_dataset("csv", data_files="feedback.csv")["train"]
binarizer = MultiLabelBinarizer().fit([(row or "").split(",") for row in data["topics"]])
tokenizer = AutoTokenizer.from_pretrained(ENCODER)


def prepare(rows):
    found = tokenizer(rows["text"], truncation=True)
    labels = binarizer.transform([(row or "").split(",") for row in rows["topics"]])
    return {**found, "labels": labels.astype(np.float32).tolist()}


data = data.map(prepare, batched=True, remove_columns=data.column_names)
data = data.train_test_split(test_size=0.1)
trainer = Trainer(
    AutoModelForSequenceClassification.from_pretrained(
        ENCODER,
        num_labels=len(binarizer.classes_),
        problem_type="multi_label_classification",
    ),
    TrainingArguments("out"),
    train_dataset=data["train"],
    eval_dataset=data["test"],
    data_collator=DataCollatorWithPadding(tokenizer),
)
trainer.train()
predicted = trainer.predict(data["test"])
print(f1_score(predicted.label_ids, predicted.predictions > 0, average="micro"))
# %% a number
from datasets import load_dataset
from scipy.stats import spearmanr
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

data = load_dataset("csv", data_files="ratings.csv")["train"].rename_column("stars", "label")
tokenizer = AutoTokenizer.from_pretrained(ENCODER)
data = data.map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)
data = data.train_test_split(test_size=0.1)
trainer = Trainer(
    AutoModelForSequenceClassification.from_pretrained(ENCODER, num_labels=1),
    TrainingArguments("out"),
    train_dataset=data["train"],
    eval_dataset=data["test"],
    data_collator=DataCollatorWithPadding(tokenizer),
)
trainer.train()
predicted = trainer.predict(data["test"])
print(spearmanr(predicted.predictions[:, 0], predicted.label_ids).statistic)
# %% LoRA
import numpy as np
from datasets import load_dataset
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

data = load_dataset("csv", data_files="reviews.csv")["train"].class_encode_column("label")
data = data.train_test_split(test_size=0.1, stratify_by_column="label")
names = data["train"].features["label"].names
tokenizer = AutoTokenizer.from_pretrained(ENCODER)
data = data.map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)
model = AutoModelForSequenceClassification.from_pretrained(ENCODER, num_labels=len(names))
trainer = Trainer(
    get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=8)),
    TrainingArguments("out", learning_rate=2e-4),
    train_dataset=data["train"],
    eval_dataset=data["test"],
    data_collator=DataCollatorWithPadding(tokenizer),
    compute_metrics=lambda p: {"accuracy": np.mean(p.predictions.argmax(-1) == p.label_ids)},
)
trainer.train()
print(trainer.evaluate()["eval_accuracy"])
# %% answers: a label
from transformers import pipeline

answers = [one["label"] for one in pipeline("text-classification", "reviews")(texts)]
# %% answers: several labels
from datasets import Dataset

new = Dataset.from_dict(dict(tokenizer(texts, truncation=True)))
answers = [binarizer.classes_[row > 0].tolist() for row in trainer.predict(new).predictions]
# %% answers: a number
from datasets import Dataset

new = Dataset.from_dict(dict(tokenizer(texts, truncation=True)))
answers = trainer.predict(new).predictions[:, 0].tolist()
# %% answers: LoRA
from datasets import Dataset

new = Dataset.from_dict(dict(tokenizer(texts, truncation=True)))
answers = [names[number] for number in trainer.predict(new).predictions.argmax(-1)]
