# %% [markdown]
# # Your own CSV
#
# This tutorial trains a classifier on a CSV file, looks at what it learned, and uses it on new texts.
#
# First, we write the file: short reviews, each labelled good or bad.

# %%
import csv
import itertools
import random

import ftkeras

THINGS = (
    *("film", "plot", "cast", "music", "ending", "story"),
    *("dialogue", "humor", "pacing", "script", "soundtrack", "comedy"),
)
WORDS = {
    "good": "charming superb moving clever wonderful brilliant gripping funny excellent fresh",
    "bad": "dull weak silly tedious dreadful boring awful clumsy predictable terrible",
}
OPPOSITE = {"good": "bad", "bad": "good"}
rows = []
for mood, words in WORDS.items():
    for thing, word in itertools.product(THINGS, words.split()):
        rows.append((f"The {thing} was {word}.", mood))
        rows.append((f"The {thing} was not {word}.", OPPOSITE[mood]))
random.seed(0)
random.shuffle(rows)
with open("reviews.csv", "w", newline="") as stream:
    csv.writer(stream).writerows([("text", "label"), *rows])
rows[:3]

# %% [markdown]
# ## Train
#
# ftkeras infers the columns, the labels and the problem. It holds out a tenth of the rows to choose the best epoch, and another tenth
# to test it.
#
# The encoder here is small and starts from random weights, so that the notebook runs in seconds without a download. For real texts, use
# a pretrained encoder: `encoder="distilbert-base-uncased"`.

# %%
run = ftkeras.train(
    "reviews.csv",
    encoder="bert(layers=2, hidden=64, heads=4, vocabulary='reviews')",
    max_length=32,
    epochs=15,
    learning_rate=1e-3,
    run_dir="runs/reviews",
    verbose=0,
)
run.metrics["test"]["accuracy"]

# %%
run.history[["loss", "val_loss", "val_accuracy"]].round(3)

# %%
run.confusion()

# %% [markdown]
# ## Use it
#
# The run was exported as a SavedModel that takes strings. `ftkeras serve --model=saved_models/reviews` serves it.

# %%
model = ftkeras.load(run)
model.predict(["The plot was not weak.", "The cast was tedious.", "The music was moving."]).round(3)

# %% [markdown]
# This command line trains the same model:

# %%
print(run.command)
