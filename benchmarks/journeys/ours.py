# %% a label: train on a table, and measure on a held-out part
import ftkeras

run = ftkeras.train("reviews.csv", encoder=ENCODER, name="reviews")
print(run.metrics["test"]["accuracy"])
# %% predict: labels and probabilities of new texts
import ftkeras

print(ftkeras.load("saved_models/reviews").predict(["Worth every minute."]))
# %% several labels of a text, each with a threshold tuned on validation
import ftkeras

run = ftkeras.train("feedback.csv", label_separator=",", encoder=ENCODER)
print(run.metrics["test"]["micro_f1"])
# %% a number
import ftkeras

run = ftkeras.train("ratings.csv", encoder=ENCODER)
print(run.metrics["test"]["spearman"])
# %% LoRA
import ftkeras

run = ftkeras.train("reviews.csv", encoder=ENCODER, policy="lora(rank=8)")
print(run.metrics["test"]["accuracy"])
# %% answers: a label
import ftkeras

answers = ftkeras.load("saved_models/reviews").predict(texts)["predicted"].tolist()
# %% answers: several labels
answers = [found.split(",") for found in ftkeras.load(run).predict(texts)["predicted"]]
# %% answers: a number
answers = ftkeras.load(run).predict(texts)["predicted"].tolist()
# %% answers: LoRA
answers = ftkeras.load(run).predict(texts)["predicted"].tolist()
