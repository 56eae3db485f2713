# %% [markdown]
# # Scores
#
# This tutorial trains a model that predicts a number: the stars of a review. `train` does this by itself if the labels of a table are
# decimal numbers.

# %%
import csv
import itertools
import random

import ftkeras

THINGS = ("plot", "cast", "music", "ending", "script", "humor")
WORDS = {"dreadful": 0.5, "weak": 1.5, "predictable": 2.0, "fair": 3.0, "good": 4.0, "superb": 5.0}
random.seed(0)
rows = [
    (f"{word} {thing}, {other_word} {other}", round((a + b) / 2 + random.gauss(0, 0.1), 2))
    for thing, other in itertools.permutations(THINGS, 2)
    for (word, a), (other_word, b) in itertools.product(WORDS.items(), repeat=2)
]
random.shuffle(rows)
with open("ratings.csv", "w", newline="") as stream:
    csv.writer(stream).writerows([("text", "stars"), *rows])
rows[:3]

# %% [markdown]
# ## Train

# %%
run = ftkeras.train(
    "ratings.csv",
    label_column="stars",
    encoder="bert(layers=2, hidden=64, heads=4, vocabulary='reviews')",
    max_length=32,
    epochs=8,
    learning_rate=1e-3,
    run_dir="runs/ratings",
    verbose=0,
)
{name: round(run.metrics["test"][name], 3) for name in ("spearman", "rmse", "mae")}

# %% [markdown]
# ## Use it
#
# The answers are in the unit of the data: stars.

# %%
model = ftkeras.load(run)
model.predict(
    [
        "superb plot, good music",
        "weak script, dreadful ending",
    ]
).round(2)
