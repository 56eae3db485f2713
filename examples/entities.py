# %% [markdown]
# # Entities
#
# Find people and places in texts. The data are CoNLL files: a word and its tag on each line, and a blank line after each sentence.
# With a pretrained encoder, `encoder="bert-base-cased"`, this is named-entity recognition on real text.

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
# Tagged words are recognized as such, so the problem need not be named.

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
# An answer has each entity's type, text, place in the text (in characters), and score.

# %%
model = ftkeras.load(run)
model.answers(["My brother came to Chicago.", "I saw the critics at the theater."])
