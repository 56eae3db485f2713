"""The metrics of each class as text."""

from collections.abc import Mapping
from typing import Any

# With more classes, those with the lowest F1 are shown.
MAX_ROWS = 10
LABEL_WIDTH = 30
COLUMNS = ("precision", "recall", "f1")


def table(measured: Mapping[str, Any], split: str) -> str:
    """Return a row for each class, and a sentence about what the metrics of all classes refer to.

    Args:
        measured: the metrics of a split, as metrics.json holds them.
        split: its name.
    """
    rows = [row for row in measured["per_class"] if row["support"]]
    shown = rows if len(rows) <= MAX_ROWS else sorted(rows, key=lambda row: row["f1"])[:MAX_ROWS]
    width = max(len(f"on {split}"), *(len(_cut(row["label"])) for row in shown)) + 2
    heads = "".join(f"{name:>11}" for name in (*COLUMNS, "support"))
    lines = [f"{'on ' + split:{width}}{heads}"]
    for row in shown:
        values = "".join(f"{row[name]:>11.4f}" for name in COLUMNS)
        lines.append(f"{_cut(row['label']):{width}}{values}{row['support']:>11,}")
    if len(shown) < len(rows):
        lines.append(f"… the {len(shown)} of {len(rows)} classes with the lowest f1")
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
        few = ", ".join(repr(_cut(label)) for label in absent[:3])
        few += ", …" if len(absent) > 3 else ""
        number = "1 class" if len(absent) == 1 else f"{len(absent)} classes"
        lines.append(f"means exclude {number} without an example in {split}:")
        lines.append(f"  {few}")
    return lines


def _cut(label: str) -> str:
    return label if len(label) <= LABEL_WIDTH else label[: LABEL_WIDTH - 1] + "…"
