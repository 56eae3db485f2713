"""The metrics of each class, and the confusion matrix, as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.problems import _tables
from ftkeras.support import plurals
from ftkeras.support.short_names import shorten

METRICS = ("precision", "recall", "f1")
# The confusion matrix of more classes than this is not shown, only its worst pairs.
MOST_CLASSES, WORST_PAIRS = 10, 10
COLUMNS = 80


def table(measured: Mapping[str, Any], split: str) -> str:
    """Return a row for each class, and a sentence about what the metrics of all classes refer to.

    Args:
        measured: the metrics of a split, as they are recorded.
        split: its name.
    """
    lines = _tables.worst(f"on {split}", METRICS, measured["per_class"], "classes")
    return "\n".join([*lines, "", *summary(measured, split)])


def summary(measured: Mapping[str, Any], split: str) -> list[str]:
    """Return the means over classes, and which class or classes the metrics refer to."""
    means = [("macro f1", "macro_f1"), ("balanced accuracy", "balanced_accuracy"), ("mcc", "mcc")]
    numbers = ", ".join(f"{name} {measured[key]:.4f}" for name, key in means)
    lines, absent = [f"{split}: {numbers}"], measured["absent_classes"]
    if measured["positive_class"] is not None:
        lines.append(f"precision, recall, f1 and auc are those of {measured['positive_class']!r}")
    else:
        lines.append("precision, recall, f1 and auc are means over the classes")
    if absent:
        number = plurals.counted(len(absent), "class", "classes")
        lines.append(f"means exclude {number} without an example in {split}:")
        lines.append(f"  {_tables.few(absent)}")
    return lines


def confusion(
    rows: Sequence[Sequence[int]], labels: Sequence[str], split: str, file: str
) -> list[str]:
    """Return the confusion matrix, or the worst pairs if there are too many classes to show."""
    labels = shorten(labels, _tables.LABEL_WIDTH)
    if len(labels) > MOST_CLASSES:
        return _worst_pairs(rows, labels, split, file)
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


def _worst_pairs(
    rows: Sequence[Sequence[int]], labels: Sequence[str], split: str, file: str
) -> list[str]:
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
        f"most frequent errors of {errors:,} on {split}; {file} has the whole matrix",
        f"{'count':>7}{'share':>8}  {'label':{width}}predicted",
    ]
    for count, true, predicted, examples in worst:
        lines.append(f"{count:>7,}{count / examples:>8.0%}  {true:{width}}{predicted}")
    return lines
