"""A run's metrics as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.reports import per_class
from ftkeras.runs import layout
from ftkeras.runs.metrics import NAMES

# The confusion matrix of more classes than this is not shown, only its worst pairs.
MOST_CLASSES, WORST_PAIRS = 10, 10
COLUMNS = 80


def table(metrics: Mapping[str, Any], labels: Sequence[str]) -> str:
    """Return the metrics of each split, and of the last one those of each class and the confusion.

    Args:
        metrics: as metrics.json holds them.
        labels: the names of the classes.
    """
    splits = [split for split in ("validation", "test") if split in metrics]
    lines = [f"{'':12}" + "".join(f"{name:>11}" for name in (*NAMES, "examples"))]
    for split in splits:
        values = "".join(cell(metrics[split][name]) for name in NAMES)
        lines.append(f"{split:12}{values}{metrics[split]['examples']:>11,}")
    last = splits[-1]
    if "per_class" in metrics[last]:  # runs of earlier versions lack it
        lines += ["", per_class.table(metrics[last], last)]
    if "confusion" in metrics:
        lines += ["", *_confusion(metrics["confusion"], labels, last)]
    return "\n".join(lines)


def cell(value: float | None) -> str:
    """Return a metric in a column of 11; `-` if it is undefined.

    >>> cell(0.5), cell(None)
    ('     0.5000', '          -')
    """
    return f"{'-':>11}" if value is None else f"{value:>11.4f}"


def _confusion(rows: Sequence[Sequence[int]], labels: Sequence[str], split: str) -> list[str]:
    """Return the confusion matrix, or the worst pairs if there are too many classes to show."""
    if len(labels) > MOST_CLASSES:
        return _worst_pairs(rows, labels, split)
    title = f"on {split}"
    first = max(len(text) + 2 for text in (title, *labels))
    prefix, width = "predicted ", max(len(label) for label in labels) + len("predicted ") + 2
    if first + width * len(labels) > COLUMNS:
        title, prefix = f"on {split}, predicted", ""
        first, width = max(first, len(title) + 2), max(8, *(len(label) + 2 for label in labels))
    lines = [f"{title:{first}}" + "".join(f"{prefix + label:>{width}}" for label in labels)]
    for label, counts in zip(labels, rows, strict=True):
        lines.append(f"{label:{first}}" + "".join(f"{count:>{width},}" for count in counts))
    return lines


def _worst_pairs(rows: Sequence[Sequence[int]], labels: Sequence[str], split: str) -> list[str]:
    """Return the pairs of a true and a predicted label that are confused most often."""
    pairs = [
        (count, labels[true], labels[predicted], sum(rows[true]))
        for true, counts in enumerate(rows)
        for predicted, count in enumerate(counts)
        if count and true != predicted
    ]
    pairs.sort(key=lambda pair: -pair[0])
    worst, errors = pairs[:WORST_PAIRS], sum(count for count, *_ in pairs)
    if not worst:
        return [f"on {split}: no errors"]
    width = max(8, *(len(true) + 2 for _, true, *_ in worst))
    lines = [
        f"most frequent errors of {errors:,} on {split}; {layout.METRICS} has the whole matrix",
        f"{'count':>7}{'share':>8}  {'label':{width}}predicted",
    ]
    for count, true, predicted, examples in worst:
        lines.append(f"{count:>7,}{count / examples:>8.0%}  {true:{width}}{predicted}")
    return lines
