# %% [markdown]
# # Entities
#
# This tutorial trains a model that finds people and places in texts.
#
# First, we write the data as CoNLL files: one word and its tag per line, and a blank line after each sentence.

# %%
import itertools
import pathlib
import random

import ftkeras

PEOPLE = (
    *("my brother", "my sister", "my neighbor", "my parents"),
    *("the kids", "the critics", "the director"),
)
PLACES = ("Chicago", "the theater", "the train", "the city book store", "the west side", "Paris")
PATTERNS = (
    "{person} watched it in {place} .",
    "on Sunday {person} came to {place} .",
    "in {place} everybody laughed , and {person} cried .",
    "I would recommend it to {person} , but not at {place} .",
    "at {place} we saw {person} with a friend .",
)


def tagged(pattern, **names):
    """Return the words of a sentence with their tags."""
    lines = []
    for part in pattern.split():
        kind = part.strip("{}")
        words = names[kind].split() if kind in names else [part]
        for n, word in enumerate(words):
            lines.append(f"{word} {('I-' if n else 'B-') + kind if kind in names else 'O'}")
    return "\n".join(lines)


sentences = [
    tagged(pattern, person=person, place=place)
    for pattern, person, place in itertools.product(PATTERNS, PEOPLE, PLACES)
]
random.Random(0).shuffle(sentences)
for name, part in {
    "train": sentences[60:],
    "valid": sentences[:30],
    "test": sentences[30:60],
}.items():
    pathlib.Path(f"{name}.conll").write_text("\n\n".join(part) + "\n")
print(sentences[0])

# %% [markdown]
# ## Train
#
# ftkeras recognizes tagged words, so you need not name the problem. The encoder here is small and starts from random weights. For real
# texts, use a pretrained encoder: `encoder="bert-base-cased"`.

# %%
run = ftkeras.train(
    "train.conll",
    validation_data="valid.conll",
    test_data="test.conll",
    encoder="bert(layers=2, hidden=64, heads=4, vocabulary='reviews')",
    max_length=48,
    epochs=25,
    learning_rate=2e-3,
    run_dir="runs/people",
    verbose=0,
)
{name: round(run.metrics["test"][name], 3) for name in ("precision", "recall", "f1")}

# %% [markdown]
# ## Use it
#
# An answer has the type, text, start and end (in characters) and score of each entity.

# %%
model = ftkeras.load(run)
model.answers(["My brother came to Chicago.", "I saw the critics at the theater."])
