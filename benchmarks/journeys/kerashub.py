# %% a label: train on a table, and measure on a held-out part
import keras_hub
import pandas as pd
from sklearn.model_selection import train_test_split

frame = pd.read_csv("reviews.csv")
numbers, names = pd.factorize(frame["label"])
train_x, test_x, train_y, test_y = train_test_split(
    frame["text"].to_numpy(), numbers, test_size=0.1, stratify=numbers
)
model = keras_hub.models.TextClassifier.from_preset(ENCODER, num_classes=len(names))
model.preprocessor.sequence_length = 64
model.fit(train_x, train_y, epochs=3)
print(model.evaluate(test_x, test_y, return_dict=True))
model.save_to_preset("reviews")
names.to_series().to_csv("reviews/labels.csv", index=False)
# %% predict: labels and probabilities of new texts
import keras
import keras_hub
import pandas as pd

model = keras_hub.models.TextClassifier.from_preset("reviews")
names = pd.read_csv("reviews/labels.csv").iloc[:, 0]
probabilities = keras.ops.softmax(model.predict(["Worth every minute."]))
print(names[int(keras.ops.argmax(probabilities[0]))], probabilities)
# %% several labels of a text, without thresholds of their own
import keras
import keras_hub
import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MultiLabelBinarizer

frame = pd.read_csv("feedback.csv").fillna("")
targets = MultiLabelBinarizer().fit_transform(frame["topics"].str.split(","))
train_x, test_x, train_y, test_y = train_test_split(frame["text"].to_numpy(), targets)
model = keras_hub.models.TextClassifier.from_preset(ENCODER, num_classes=targets.shape[1])
model.preprocessor.sequence_length = 64
model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=[])
model.fit(train_x, train_y, epochs=3)
print(f1_score(test_y, model.predict(test_x) > 0, average="micro"))
# %% a number
import keras_hub
import pandas as pd
from scipy.stats import spearmanr
from sklearn.model_selection import train_test_split

frame = pd.read_csv("ratings.csv")
train_x, test_x, train_y, test_y = train_test_split(
    frame["text"].to_numpy(), frame["stars"].to_numpy(), test_size=0.1
)
model = keras_hub.models.TextClassifier.from_preset(ENCODER, num_classes=1)
model.preprocessor.sequence_length = 64
model.compile(loss="mse", metrics=[])
model.fit(train_x, train_y, epochs=3)
print(spearmanr(model.predict(test_x)[:, 0], test_y).statistic)
# %% LoRA
import keras_hub
import pandas as pd
from sklearn.model_selection import train_test_split

frame = pd.read_csv("reviews.csv")
numbers, names = pd.factorize(frame["label"])
train_x, test_x, train_y, test_y = train_test_split(
    frame["text"].to_numpy(), numbers, test_size=0.1, stratify=numbers
)
model = keras_hub.models.TextClassifier.from_preset(ENCODER, num_classes=len(names))
model.preprocessor.sequence_length = 64
model.backbone.enable_lora(rank=8)
model.fit(train_x, train_y, epochs=3)
print(model.evaluate(test_x, test_y, return_dict=True))
# %% answers: a label
model = keras_hub.models.TextClassifier.from_preset("reviews")
names = pd.read_csv("reviews/labels.csv").iloc[:, 0]
answers = [names[number] for number in model.predict(texts).argmax(-1)]
# %% answers: several labels
names = sorted({name for cell in frame["topics"] for name in cell.split(",")})
answers = [[names[i] for i in row.nonzero()[0]] for row in model.predict(texts) > 0]
# %% answers: a number
answers = model.predict(texts)[:, 0].tolist()
# %% answers: LoRA
answers = [names[number] for number in model.predict(texts).argmax(-1)]
