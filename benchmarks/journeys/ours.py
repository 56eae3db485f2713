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
