"""Labels and their metrics, as text and in Markdown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.problems import _tables
from ftkeras.support import plurals

# Characters that may join the labels of a text in one cell.
JOINTS = ",;|"
COLUMNS = ("precision", "recall", "f1", "auc", "threshold")
TITLES = {
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "subset_accuracy": "subset accuracy",
    "lrap": "LRAP",
    "auc": "area under ROC",
    "loss": "loss",
}


def table(measured: Mapping[str, Any], split: str) -> list[str]:
    """Return a row for each label that the split has.

    Args:
        measured: the metrics of the split, as they are recorded.
        split: its name.
    """
    return _tables.worst(f"on {split}", COLUMNS, measured["per_label"], "labels")


def summary(measured: Mapping[str, Any], split: str) -> list[str]:
    """Return further metrics, and which labels the macro means exclude."""
    names = ("micro_precision", "micro_recall", "subset_accuracy")
    numbers = ", ".join(f"{name.replace('_', ' ')} {measured[name]:.4f}" for name in names)
    lines, absent = ["", f"{split}: {numbers}"], measured["absent_labels"]
    if absent:
        number, few = plurals.counted(len(absent), "label", "labels"), _tables.few(absent)
        lines.append(f"macro f1 and auc exclude {number} without an example in {split}: {few}")
    return lines


def markdown(metrics: Mapping[str, Any], splits: Sequence[str]) -> list[str]:
    """Return the metrics of each split, and those of each label in the last one, as two tables."""
    lines = [
        f"| split | examples | {' | '.join(TITLES.values())} |",
        f"|{'---|' * (len(TITLES) + 2)}",
    ]
    for split in splits:
        measured = metrics[split]
        cells = " | ".join(_tables.number(measured[name]) for name in TITLES)
        lines.append(f"| {split} | {measured['examples']:,} | {cells} |")
    lines += [
        "",
        f"| label, on {splits[-1]} | {' | '.join(COLUMNS)} | support |",
        f"|{'---|' * (len(COLUMNS) + 2)}",
    ]
    for row in metrics[splits[-1]]["per_label"]:
        cells = " | ".join(_tables.number(row[name]) for name in COLUMNS)
        lines.append(f"| `{row['label']}` | {cells} | {row['support']:,} |")
    return lines


def origin(threshold: str | float, tuned_on: int) -> str:
    """Return how the thresholds were chosen.

    Args:
        threshold: what was asked for: tuned, or a number.
        tuned_on: the number of validation examples on which they were tuned; 0 for none.
    """
    if isinstance(threshold, float):
        return f"the threshold of all labels is {threshold:g}, as asked for"
    if not tuned_on:
        return "all thresholds are 0.5, as there was no validation split to tune them on"
    return f"the thresholds are tuned on the {tuned_on:,} validation examples"


def cell(labels: Sequence[str], names: Sequence[str]) -> str:
    """Return labels in one cell, joined by a character that no name contains, or as JSON.

    >>> cell(["a", "c"], ["a", "b", "c"]), cell(["a"], ["a", "b,c"])
    ('a,c', 'a')
    >>> cell(["a", "b,c"], ["a", "b,c"])
    'a;b,c'
    """
    joint = next((j for j in JOINTS if not any(j in name for name in names)), None)
    return json.dumps(labels, ensure_ascii=False) if joint is None else joint.join(labels)


def indicators(labels: Sequence[Sequence[str]], names: Sequence[str]) -> np.ndarray:
    """Return lists of labels as 0 and 1, [examples, labels].

    >>> indicators([["b"], []], ["a", "b"]).tolist()
    [[0, 1], [0, 0]]
    """
    positions = {name: n for n, name in enumerate(names)}
    matrix = np.zeros((len(labels), len(names)), np.int64)
    for row, chosen in zip(matrix, labels, strict=True):
        row[[positions[name] for name in chosen]] = 1
    return matrix
