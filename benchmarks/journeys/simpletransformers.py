# %% a label: train on a table, and measure on a held-out part
import pandas as pd
from simpletransformers.classification import ClassificationModel
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

frame = pd.read_csv("reviews.csv").rename(columns={"label": "labels"})
names = sorted(frame["labels"].unique())
train, test = train_test_split(frame, test_size=0.1, stratify=frame["labels"])
args = {"num_train_epochs": 3, "max_seq_length": 64, "labels_list": names, "output_dir": "reviews"}
model = ClassificationModel("bert", ENCODER, num_labels=len(names), args=args, use_cuda=False)
model.train_model(train)
predicted, _ = model.predict(test["text"].tolist())
print(accuracy_score(test["labels"], predicted))
# %% predict: labels and probabilities of new texts
from scipy.special import softmax
from simpletransformers.classification import ClassificationModel

model = ClassificationModel("bert", "reviews", use_cuda=False)
labels, logits = model.predict(["Worth every minute."])
print(labels, softmax(logits, axis=1))
# %% several labels of a text, without thresholds of their own
import pandas as pd
from simpletransformers.classification import MultiLabelClassificationModel
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MultiLabelBinarizer

frame = pd.read_csv("feedback.csv").fillna("")
targets = MultiLabelBinarizer().fit_transform(frame["topics"].str.split(","))
frame = pd.DataFrame({"text": frame["text"], "labels": targets.tolist()})
train, test = train_test_split(frame, test_size=0.1)
args = {"num_train_epochs": 3, "max_seq_length": 64}
model = MultiLabelClassificationModel("bert", ENCODER, targets.shape[1], args=args, use_cuda=False)
model.train_model(train)
predicted, _ = model.predict(test["text"].tolist())
print(f1_score(test["labels"].tolist(), predicted, average="micro"))
# %% a number
import pandas as pd
from scipy.stats import spearmanr
from simpletransformers.classification import ClassificationModel
from sklearn.model_selection import train_test_split

frame = pd.read_csv("ratings.csv").rename(columns={"stars": "labels"})
train, test = train_test_split(frame, test_size=0.1)
args = {"num_train_epochs": 3, "max_seq_length": 64, "regression": True}
model = ClassificationModel("bert", ENCODER, num_labels=1, args=args, use_cuda=False)
model.train_model(train)
predicted, _ = model.predict(test["text"].tolist())
print(spearmanr(predicted, test["labels"]).statistic)
# %% answers: a label
answers = ClassificationModel("bert", "reviews", use_cuda=False).predict(texts)[0]
# %% answers: several labels
names = sorted({name for cell in pd.read_csv("feedback.csv")["topics"] for name in cell.split(",")})
answers = [[names[i] for i, one in enumerate(row) if one] for row in model.predict(texts)[0]]
# %% answers: a number
answers = model.predict(texts)[0].tolist()
