# %% [markdown]
# # Several labels
#
# This tutorial trains a model for texts that may have several labels: what a review talks about.
#
# First, we write a table in which the labels of a text are joined by commas. A text may have several labels, one or none.

# %%
import csv
import itertools
import random

import ftkeras

TOPICS = {
    "acting": ("cast", "acting", "dialogue"),
    "sound": ("music", "soundtrack"),
    "story": ("plot", "story", "script", "ending"),
}
WORDS = ("good", "weak", "superb", "dull", "clever", "silly", "fresh", "awful", "fair", "bad")
random.seed(0)
rows = []
for size in (1, 2, 3):
    for chosen in itertools.combinations(TOPICS, size):
        for _ in range(60 * size):
            parts = [f"{random.choice(WORDS)} {random.choice(TOPICS[topic])}" for topic in chosen]
            parts.append(f"{random.choice(WORDS)} {random.choice(('film', 'evening', 'comedy'))}")
            random.shuffle(parts)
            rows.append((", ".join(parts), ",".join(chosen)))
random.shuffle(rows)
with open("reviews.csv", "w", newline="") as stream:
    csv.writer(stream).writerows([("text", "topics"), *rows])
rows[:3]

# %% [markdown]
# ## Train
#
# Each label has its own threshold, which is tuned on the validation split.

# %%
run = ftkeras.train(
    "reviews.csv",
    label_column="topics",
    label_separator=",",
    encoder="bert(layers=2, hidden=64, heads=4, vocabulary='reviews')",
    head="multi_label(pooling='mean')",
    max_length=48,
    epochs=15,
    learning_rate=2e-3,
    run_dir="runs/topics",
    verbose=0,
)
{name: round(run.metrics["test"][name], 3) for name in ("micro_f1", "macro_f1")}

# %% [markdown]
# ## Use it

# %%
model = ftkeras.load(run)
model.predict(["good music, clever plot, fair film", "superb acting"]).round(3)
