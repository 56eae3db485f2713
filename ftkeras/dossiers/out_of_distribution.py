"""The part about out-of-distribution texts: whether the model's own scores detect them."""

import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.dossiers import asking
from ftkeras.dossiers.memorization import spread
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.experiment import answering, evaluation, other_texts
from ftkeras.figures.parts import Column, Missing, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.statistics import membership, outliers

MOST, TRAIN = 500, 2_000
_FILE = pathlib.Path(__file__).with_name("other_texts.txt")
NOTE = (
    "The area under the ROC curve: the probability that a text of another kind gets a stranger "
    "number than a text of test; 0.5 says nothing. DeLong's 95 % intervals."
)

TOO_SHORT = "fewer than two texts have more than three words."


def part(subject: Subject) -> Part:
    """Return the part about out-of-distribution texts.

    Raises:
        UserError: if the data can't be read, the run kept no weights, its problem answers words
            rather than texts, its answers have no number that says how strange a text is, or the
            split has fewer than two texts.
    """
    asking.require_whole_texts(subject)
    known = spread(subject.examples[subject.view.split], MOST)
    asking.require_several(known)
    texts = subject.raw_texts(known)
    made = {"other topics": _other_topics(texts[0]), "shuffled words": _shuffled(texts)}
    kinds = {kind: others for kind, others in made.items() if len(others) >= asking.LEAST}
    measured = _measure(subject, [texts, *kinds.values()], known)
    if not measured:
        raise UserError(f"a {subject.view.problem.kind} has no number that says how strange it is")
    rows = [
        {"kind": kind, "texts": len(kinds[kind]), "score": score, **_auc(values[0], other)}
        for score, values in measured.items()
        for kind, other in zip(kinds, values[1:], strict=True)
    ]
    data = {
        "split": subject.view.split,
        "examples": len(known),
        "scores": rows,
        "left_out": [kind for kind in made if kind not in kinds],
    }
    return Part("foreign", "Out-of-distribution texts", data, _shown(data))


def _measure(
    subject: Subject, versions: Sequence[asking.Texts], known: Examples
) -> dict[str, list[np.ndarray]]:
    """Return how strange each text of each version is, by each score that the model has."""
    trained, train = subject.trained, spread(subject.examples["train"], TRAIN)
    # All are read at once, as each new graph takes a second.
    joined = [text for texts in (*versions, subject.raw_texts(train)) for text in texts]
    targets = np.repeat(known.targets[:1], len(joined), axis=0)
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as name:
        examples = other_texts.tokenize(trained, joined, targets, pathlib.Path(name))
        logits = evaluation.predict_logits(trained, examples)
        vectors = answering.vectors(trained, examples)
    scores: dict[str, np.ndarray] = {}
    if trained.problem.single_class(targets) is not None:
        scores["maximum probability"] = outliers.one_minus_maximum(logits)
        scores["energy"] = outliers.energy(logits)
    if vectors is not None:
        groups = trained.problem.stratum(train.targets)
        asked, seen = np.split(vectors, [-len(train)])
        scores["Mahalanobis distance"] = outliers.mahalanobis(asked, seen, groups)
    ends = np.cumsum(list(map(len, versions)))
    return {score: np.split(values, ends)[: len(versions)] for score, values in scores.items()}


def _auc(known: np.ndarray, foreign: np.ndarray) -> dict[str, float]:
    area, low, high = membership.auc(foreign, known)
    return {"auc": area, "low": low, "high": high}


def _other_topics(like: dict[str, str]) -> list[dict[str, str]]:
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return [dict.fromkeys(like, line) for line in lines]


def _shuffled(texts: asking.Texts) -> list[dict[str, str]]:
    """Return texts of more than three words, with their words in another order."""
    rng, shuffled = np.random.default_rng(0), []
    for one in texts:
        words = {key: text.split() for key, text in one.items()}
        if max(map(len, words.values())) > 3:
            shuffled.append({key: " ".join(rng.permutation(w)) for key, w in words.items()})
    return shuffled


def _shown(data: dict[str, Any]) -> list[Shown]:
    rows = [
        [one["kind"], one["texts"], one["score"], one["auc"], one["low"], one["high"]]
        for one in data["scores"]
    ]
    columns: list[str | Column] = [
        *("other texts", "number", "score"),
        Column("area under the curve", "{:.3f}"),
        Column("interval, from", "{:.3f}"),
        Column("to", "{:.3f}"),
    ]
    topics = [one for one in data["scores"] if one["kind"] == "other topics"]
    best = max(topics, key=lambda one: one["low"])
    if best["low"] > 0.5:
        text = f"{best['score'].capitalize()} tells texts on other topics apart"
        verdict = Notice(f"{text}: area under the curve {best['auc']:.3f}.", "info")
    else:
        verdict = Notice("No score of the model is shown to tell texts on other topics apart.")
    left_out = [Missing(kind.capitalize(), TOO_SHORT) for kind in data["left_out"]]
    table = Table("foreign", "How strange the model finds them", columns, rows, NOTE)
    return [verdict, table, *left_out]
