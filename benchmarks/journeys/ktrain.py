# %% a label: train on a table, and measure on a held-out part
import ktrain
import pandas as pd
from ktrain import text

frame = pd.read_csv("reviews.csv").sample(frac=1)
cut, names = len(frame) // 10, sorted(frame["label"].unique())
transformer = text.Transformer(ENCODER, maxlen=64, class_names=names)
x, y = frame["text"].tolist(), frame["label"].tolist()
train = transformer.preprocess_train(x[cut:], y[cut:])
test = transformer.preprocess_test(x[:cut], y[:cut])
learner = ktrain.get_learner(transformer.get_classifier(), train, test)
learner.fit_onecycle(5e-5, 3)
learner.validate(class_names=names)
ktrain.get_predictor(learner.model, transformer).save("reviews")
# %% predict: labels and probabilities of new texts
import ktrain

predictor = ktrain.load_predictor("reviews")
print(predictor.predict(["Worth every minute."]), predictor.predict_proba(["Worth every minute."]))
# %% several labels of a text, without thresholds of their own
import ktrain
import pandas as pd
from ktrain import text
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

frame = pd.read_csv("feedback.csv").fillna("").sample(frac=1)
binarizer, cut = MultiLabelBinarizer(), len(frame) // 10
y = binarizer.fit_transform(frame["topics"].str.split(","))
transformer = text.Transformer(ENCODER, maxlen=64, class_names=list(binarizer.classes_))
x = frame["text"].tolist()
train = transformer.preprocess_train(x[cut:], y[cut:])
test = transformer.preprocess_test(x[:cut], y[:cut])
learner = ktrain.get_learner(transformer.get_classifier(), train, test)
learner.fit_onecycle(5e-5, 3)
print(f1_score(y[:cut], learner.predict(test) > 0.5, average="micro"))
# %% a number
import ktrain
import pandas as pd
from ktrain import text
from scipy.stats import spearmanr

frame = pd.read_csv("ratings.csv").sample(frac=1)
cut, x, y = len(frame) // 10, frame["text"].tolist(), frame["stars"].tolist()
transformer = text.Transformer(ENCODER, maxlen=64)
train = transformer.preprocess_train(x[cut:], y[cut:])
test = transformer.preprocess_test(x[:cut], y[:cut])
learner = ktrain.get_learner(transformer.get_regression_model(), train, test)
learner.fit_onecycle(5e-5, 3)
print(spearmanr(learner.predict(test)[:, 0], y[:cut]).statistic)
# %% answers: a label
answers = ktrain.load_predictor("reviews").predict(texts)
# %% answers: several labels
probabilities = ktrain.get_predictor(learner.model, transformer).predict(texts)
answers = [[name for name, value in row if value > 0.5] for row in probabilities]
# %% answers: a number
answers = [float(x) for x in ktrain.get_predictor(learner.model, transformer).predict(texts)]
