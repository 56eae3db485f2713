# %% [markdown]
# # Questions
#
# This tutorial trains a model that finds the answer to a question in a text, or finds that the text does not answer it.
#
# First, we write data in SQuAD's layout: JSON files with contexts, questions, and each answer with its position in the context.

# %%
import itertools
import json
import pathlib
import random

import ftkeras

PEOPLE = ("my brother", "my sister", "the director", "the critics", "my neighbor", "the kids")
THINGS = ("the film", "a comedy", "the book", "a thriller", "the play", "an old movie")
PLACES = ("Paris", "the theater", "the train", "Chicago", "the city", "the west side")
SENTENCES = (
    "On Sunday {person} saw {thing} in {place}.",
    "In {place} we met {person}, who had seen {thing}.",
    "{thing} was fine, said {person} in {place}.",
)
QUESTIONS = {"Who saw it?": "person", "What was seen?": "thing", "Where was it?": "place"}
UNANSWERED = "How long was it?"


def paragraph(number, sentence, **parts):
    """Return a context with one question; every fifth has no answer."""
    context = sentence.format(**parts)
    question, part = list(QUESTIONS.items())[number % 3]
    answers = [{"text": parts[part], "answer_start": context.index(parts[part])}]
    if number % 5 == 0:
        question, answers = UNANSWERED, []
    return {
        "context": context,
        "qas": [{"id": f"q{number}", "question": question, "answers": answers}],
    }


facts = list(itertools.product(SENTENCES, PEOPLE, THINGS, PLACES))
random.Random(0).shuffle(facts)
paragraphs = [
    paragraph(number, sentence, person=person, thing=thing, place=place)
    for number, (sentence, person, thing, place) in enumerate(facts)
]
for name, part in {
    "train": paragraphs[100:],
    "valid": paragraphs[:50],
    "test": paragraphs[50:100],
}.items():
    data = [{"title": "films", "paragraphs": part}]
    pathlib.Path(f"{name}.json").write_text(json.dumps({"version": "v2.0", "data": data}))
paragraphs[1]

# %% [markdown]
# ## Train
#
# ftkeras recognizes this layout, so you need not name the problem. The encoder here is small and starts from random weights, so that the
# notebook runs in a minute without a download. For real questions, use a pretrained encoder: `encoder="distilbert-base-uncased"` and
# `max_length=384`, without `learning_rate` and `epochs`, which are then chosen automatically.

# %%
run = ftkeras.train(
    "train.json",
    validation_data="valid.json",
    test_data="test.json",
    encoder="bert(layers=2, hidden=64, heads=4, vocabulary='reviews')",
    max_length=48,
    epochs=10,
    learning_rate=2e-3,
    run_dir="runs/questions",
    verbose=0,
)
{name: round(run.metrics["test"][name], 3) for name in ("exact_match", "f1")}

# %%
run.history[["loss", "val_loss", "val_f1"]].round(3)

# %% [markdown]
# ## Use it
#
# An answer has its text, its start and end in the context (in characters), and a score. If there is no answer, text and positions are
# missing.

# %%
model = ftkeras.load(run)
questions = [*QUESTIONS, UNANSWERED]
context = "In Chicago we met the critics, who had seen a thriller."
model.predict(questions, pairs=[context] * len(questions))
