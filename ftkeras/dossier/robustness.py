"""The part about robustness: how much worse the model is on texts that are slightly changed."""

import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.dossier.memorization import spread
from ftkeras.dossier.part import Part
from ftkeras.dossier.perturbations import CHANGES
from ftkeras.dossier.subject import Subject
from ftkeras.errors import UserError
from ftkeras.experiment import evaluation, other_texts
from ftkeras.figures.parts import Column, Facts, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.pages.metric_names import title, words
from ftkeras.statistics import paired

MOST = 500
SEED = 0
READS = ("texts", "each_text")


def part(subject: Subject) -> Part:
    """Return the part about changed texts.

    Raises:
        UserError: if the data can't be read, the run kept no weights, or its problem answers words
            rather than texts, whose places a change would move.
    """
    view = subject.view
    if view.problem.reads not in READS:
        raise UserError(f"a {view.problem.kind} answers more than texts, which changes would move")
    examples = spread(subject.examples[view.split], MOST)
    texts = subject.raw_texts(examples)
    tested = view.predictions.tested
    before = _scores(subject, examples)
    rows = []
    for name, change in CHANGES.items():
        rng = np.random.default_rng(SEED)
        changed = [{key: change(text, rng) for key, text in one.items()} for one in texts]
        after = _scores(subject, _tokenized(subject, changed, examples.targets))
        worse = (after - before) if tested.lower_is_better else (before - after)
        rows.append({"change": name, "score": float(after.mean()), **vars(paired.mean(worse))})
    data = {
        "split": view.split,
        "examples": len(examples),
        "metric": tested.name,
        "unchanged": float(before.mean()),
        "changes": rows,
        "empty_text": _empty(subject),
    }
    return Part("robustness", "Robustness", data, _shown(data))


def _scores(subject: Subject, examples: Examples) -> np.ndarray:
    """Return the number of each example whose mean is the tested metric, [examples]."""
    rows = _answers(subject, examples)
    return np.asarray(subject.trained.problem.predictions(rows).scores, float)


def _answers(subject: Subject, examples: Examples) -> list[dict[str, Any]]:
    logits = evaluation.predict_logits(subject.trained, examples)
    decoded = subject.trained.problem.decode(examples.targets, logits)
    return [{"id": f"{examples.name}-{n}", **one} for n, one in enumerate(decoded)]


def _tokenized(subject: Subject, texts: Sequence[dict[str, str]], targets: np.ndarray) -> Examples:
    """Return changed texts as examples, whose token ids are in memory."""
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as name:
        return other_texts.tokenize(subject.trained, texts, targets, pathlib.Path(name))


def _empty(subject: Subject) -> dict[str, Any]:
    """Return what the model answers to an empty text."""
    examples = subject.examples[subject.view.split]
    first = examples.select(np.arange(1))
    nothing = [dict.fromkeys(text, "") for text in subject.raw_texts(first)]
    (answer,) = _answers(subject, _tokenized(subject, nothing, first.targets))
    truth = subject.view.problem.truth(answer)
    return {name: v for name, v in answer.items() if name not in truth and name != "id"}


def _shown(data: dict[str, Any]) -> list[Shown]:
    metric = data["metric"]
    columns: list[str | Column] = [
        "change",
        Column(title(metric)),
        Column("worse by", "{:+.3f}", "than on the same texts unchanged"),
        Column("95 % interval, from", "{:+.3f}"),
        Column("to", "{:+.3f}"),
    ]
    rows = [
        [one["change"].replace("_", " "), one["score"], one["value"], one["low"], one["high"]]
        for one in data["changes"]
    ]
    note = (
        f"{data['examples']:,} texts of {data['split']}, whose {words(metric)} is "
        f"{data['unchanged']:.3f} unchanged. Student's interval of the paired differences."
    )
    worse = [one for one in data["changes"] if one["low"] > 0]
    named = ", ".join(one["change"].replace("_", " ") for one in worse)
    text = f"Worse with {named}." if worse else "No change is shown to make the model worse."
    empty = ", ".join(f"{name} {value}" for name, value in data["empty_text"].items())
    return [
        Notice(text, "warning" if worse else "good"),
        Table("changes", "Changed texts", columns, rows, note),
        Facts({"Answer to an empty text": empty}),
    ]
