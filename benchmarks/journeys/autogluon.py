# %% a label: train on a table, and measure on a held-out part
import pandas as pd
from autogluon.multimodal import MultiModalPredictor
from sklearn.model_selection import train_test_split

train, test = train_test_split(pd.read_csv("reviews.csv"), test_size=0.1)
predictor = MultiModalPredictor(label="label", path="reviews")
predictor.fit(train, hyperparameters={"model.hf_text.checkpoint_name": ENCODER})
print(predictor.evaluate(test))
# %% predict: labels and probabilities of new texts
import pandas as pd
from autogluon.multimodal import MultiModalPredictor

predictor, new = (
    MultiModalPredictor.load("reviews"),
    pd.DataFrame({"text": ["Worth every minute."]}),
)
print(predictor.predict(new), predictor.predict_proba(new))
# %% a number
import pandas as pd
from autogluon.multimodal import MultiModalPredictor
from sklearn.model_selection import train_test_split

train, test = train_test_split(pd.read_csv("ratings.csv"), test_size=0.1)
predictor = MultiModalPredictor(label="stars", problem_type="regression")
predictor.fit(train, hyperparameters={"model.hf_text.checkpoint_name": ENCODER})
print(predictor.evaluate(test, metrics=["spearmanr"]))
# %% LoRA
import pandas as pd
from autogluon.multimodal import MultiModalPredictor
from sklearn.model_selection import train_test_split

train, test = train_test_split(pd.read_csv("reviews.csv"), test_size=0.1)
predictor = MultiModalPredictor(label="label")
predictor.fit(
    train, hyperparameters={"model.hf_text.checkpoint_name": ENCODER, "optim.peft": "lora"}
)
print(predictor.evaluate(test))
# %% answers: a label
answers = MultiModalPredictor.load("reviews").predict({"text": texts}).tolist()
# %% answers: a number
answers = predictor.predict({"text": texts}).tolist()
# %% answers: LoRA
answers = predictor.predict({"text": texts}).tolist()
