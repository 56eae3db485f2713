"""Metrics of entities, and how they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.problems import _tables
from ftkeras.problems._comparison import Comparison
from ftkeras.statistics.entity_predictions import EntityPredictions

METRICS = ("f1", "precision", "recall")
# Type, start and end of an entity, in characters of the text.
Span = tuple[str, int, int]
Entities = Sequence[Mapping[str, Any]]


def span(kind: str, start: int, end: int) -> dict[str, Any]:
    """Return an entity as lines of predictions.jsonl have it."""
    return {"type": kind, "start": start, "end": end}


def measure(truth: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """Return the metrics of entities, and how many there are, "support"."""
    rows = ([set(row) for row in entities] for entities in (truth, predicted))
    compared = EntityPredictions.compare(*rows)
    return {**compared.measure(), "support": int(compared.truth.sum())}


def of_type(
    kind: str, truth: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]
) -> dict[str, Any]:
    """Return the metrics of one type of entities."""
    only = ([[e for e in row if e[0] == kind] for row in rows] for rows in (truth, predicted))
    measured = measure(*only)
    return {"type": kind, **{name: measured[name] for name in (*METRICS, "support")}}


def compare(before: Sequence[Entities], after: Sequence[Entities]) -> Comparison:
    """Compare the entities of texts, and their scores, before and after a model was exported.

    See `TokenClassification.compare_served`.
    """
    differences, changed = [0.0], 0
    for wanted, given in zip(before, after, strict=True):
        if list(map(_place, given)) != list(map(_place, wanted)):
            changed += 1
        else:
            pairs = zip(given, wanted, strict=True)
            differences += [abs(one["score"] - other["score"]) for one, other in pairs]
    texts = len(before)
    return Comparison(
        samples=texts,
        largest_difference=1.0 if changed else float(np.max(differences)),
        logit_change=float(np.max([*differences, changed / texts])),
        changes=f"the entities of {changed} of {texts} texts change",
        details={"changed_texts": changed},
        moves="entities or scores change by {}",
    )


def _place(entity: Mapping[str, Any]) -> Span:
    return entity["type"], entity["start"], entity["end"]


def lines(measured: Mapping[str, Any], split: str) -> list[str]:
    """Return the metrics of each type, and which entities could not be found.

    Args:
        measured: the metrics of a split, as they are recorded.
        split: its name.
    """
    columns = ("precision", "recall", "f1", "support")
    table = _tables.aligned(f"on {split}", columns, measured["per_type"], key="type", least=12)
    missed = {
        "beyond max_length": measured["cut_off"],
        "that begin or end within a word": measured["within_words"],
    }
    notes = [
        f"entities of {split} {where}, counted as missed: {count:,} of {measured['entities']:,}"
        for where, count in missed.items()
        if count
    ]
    return ["", *table, *notes]


def table(metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
    """Return the metrics of these splits as a table in Markdown."""
    rows = ["| split | texts | entities | F1 | precision | recall |", f"|{'---|' * 6}"]
    for split in splits:
        measured = metrics[split]
        cells = " | ".join(f"{measured[name]:.4f}" for name in METRICS)
        rows.append(f"| {split} | {measured['examples']:,} | {measured['entities']:,} | {cells} |")
    note = "An entity counts as found if its type, start and end are right."
    return "\n".join([*rows, "", note])
