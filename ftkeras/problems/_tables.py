"""Tables of metrics as aligned text: a row for each class, label, type or output."""

from collections.abc import Mapping, Sequence
from typing import Any

# With more rows, those with the lowest F1 are shown.
MAX_ROWS = 10
LABEL_WIDTH = 30


def aligned(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    least: int = 0,
) -> list[str]:
    r"""Return rows of numbers under their names, right-aligned.

    Args:
        title: head of the first column.
        columns: names of the numbers; integers have separators, None is shown as "-".
        rows: the numbers by name.
        key: what names a row.
        least: width that the first column has at least.

    >>> print(*aligned("on test", ["f1", "support"], [{"type": "PER", "f1": 0.5, "support": 1200}],
    ...                key="type"), sep="\n")
    on test           f1    support
    PER           0.5000      1,200
    """
    width = max(least, len(title) + 2, *(len(cut(row[key])) + 2 for row in rows))
    lines = [f"{title:{width}}" + "".join(f"{name:>11}" for name in columns)]
    for row in rows:
        cells = "".join(f"{number(row[name]):>11}" for name in columns)
        lines.append(f"{cut(row[key]):{width}}{cells}")
    return lines


def worst(
    title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], plural: str
) -> list[str]:
    """Return `aligned` rows of labels with examples: of many, those with the lowest F1.

    Args:
        title: head of the first column.
        columns: names of the numbers.
        rows: the numbers by name, with "label", "f1" and "support".
        plural: what the rows are called.
    """
    rows = [row for row in rows if row["support"]]
    shown = rows if len(rows) <= MAX_ROWS else sorted(rows, key=lambda row: row["f1"])[:MAX_ROWS]
    lines = aligned(title, (*columns, "support"), shown, key="label")
    if len(shown) < len(rows):
        lines.append(f"… the {len(shown)} of {len(rows)} {plural} with the lowest f1")
    return lines


def few(names: Sequence[str]) -> str:
    """Return the first three names.

    >>> few(["a", "b", "c", "d"])
    "'a', 'b', 'c', …"
    """
    listed = ", ".join(repr(cut(name)) for name in names[:3])
    return f"{listed}, …" if len(names) > 3 else listed


def number(value: float | None) -> str:
    """Return a number of four decimals, an integer as it is, or "-" if there is none."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def cut(label: str) -> str:
    """Return a label, shortened if it is long."""
    return label if len(label) <= LABEL_WIDTH else label[: LABEL_WIDTH - 1] + "…"
