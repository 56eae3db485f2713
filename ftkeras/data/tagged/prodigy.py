"""Prodigy's answers: whether its user has accepted each row."""

from collections.abc import Sequence
from typing import Any

from ftkeras.data.tables.table import Row
from ftkeras.data.tagged.entities import LeftOut

_REASONS: dict[str | None, LeftOut | None] = {
    "accept": None,
    "reject": ("row", "rejected in Prodigy skipped"),
    "ignore": ("row", "ignored in Prodigy skipped"),
    None: None,  # rows that were added to Prodigy's
}


def find_answers(columns: Sequence[str], rows: Sequence[Row]) -> int | None:
    """Return the position of the column with Prodigy's answers; None if there is none."""
    if "answer" not in columns:
        return None
    position = columns.index("answer")
    values = [row[position] for row in rows]
    return position if any(values) and all(map(_is_answer, values)) else None


def why_skipped(answer: Any) -> LeftOut | None:
    """Return why a row with this answer is not read; None if it is.

    Raises:
        ValueError: if it is no answer of Prodigy's.
    """
    if not _is_answer(answer):
        raise ValueError(f"`answer` must be accept, reject or ignore. Received: {answer!r}")
    return _REASONS[answer]


def _is_answer(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value in _REASONS)
