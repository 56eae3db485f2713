# %% [markdown]
# # Your own CSV
#
# Train a classifier on a table, look at what it learned, and use it. The encoder here is small and starts from random weights, so
# that the notebook runs in seconds without a download. For real texts, take a pretrained one: `encoder="distilbert-base-uncased"`.

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
# The columns, the labels and the problem are inferred. A tenth of the rows is held out to choose the best epoch, and another one to
# measure it.

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
# The export is a SavedModel that takes strings. `ftkeras serve --model=saved_models/reviews` serves it.

# %%
model = ftkeras.load(run)
model.predict(["The plot was not weak.", "The cast was tedious.", "The music was moving."]).round(3)

# %% [markdown]
# The command line that does the same:

# %%
print(run.command)
