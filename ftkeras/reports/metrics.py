"""A run's metrics as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.runs.metrics import NAMES


def table(metrics: Mapping[str, Any], labels: Sequence[str]) -> str:
    """Return the metrics of each split, and the confusion matrix of the last one.

    Args:
        metrics: as metrics.json holds them.
        labels: the names of the classes.
    """
    splits = [split for split in ("validation", "test") if split in metrics]
    lines = [f"{'':12}" + "".join(f"{name:>11}" for name in (*NAMES, "examples"))]
    for split in splits:
        values = "".join(cell(metrics[split][name]) for name in NAMES)
        lines.append(f"{split:12}{values}{metrics[split]['examples']:>11,}")
    return "\n".join([*lines, "", *_confusion(metrics["confusion"], labels, splits[-1])])


def cell(value: float | None) -> str:
    """Return a metric in a column of 11; `-` if it is undefined.

    >>> cell(0.5), cell(None)
    ('     0.5000', '          -')
    """
    return f"{'-':>11}" if value is None else f"{value:>11.4f}"


def _confusion(rows: Sequence[Sequence[int]], labels: Sequence[str], split: str) -> list[str]:
    """Return a row for each true label and a column for each predicted one."""
    title = f"on {split}"
    first = max(len(text) + 2 for text in (title, *labels))
    width = max(len(label) for label in labels) + len("predicted ") + 2
    lines = [f"{title:{first}}" + "".join(f"{'predicted ' + label:>{width}}" for label in labels)]
    for label, counts in zip(labels, rows, strict=True):
        lines.append(f"{label:{first}}" + "".join(f"{count:>{width},}" for count in counts))
    return lines
