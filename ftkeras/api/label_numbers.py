"""Labels that are numbers themselves."""

import functools
import re
from collections.abc import Sequence
from typing import Any

from ftkeras.api.columns import shown

_INTEGER = re.compile(r"[+-]?\d+")


def refuse_ambiguous(labels: Sequence[Any], number: Any, argument: str) -> None:
    """Raise ValueError for a number if all labels are integers, and other ones than their numbers.

    Of the labels '1' and '0', 1 may be the first, by its name, or the second, by its number.

    Args:
        labels: the names in the order of their numbers.
        number: what is given for a label.
        argument: the name of the argument that has it.
    """
    other = _another(tuple(labels))
    if other is not None:
        raise ValueError(
            f"`{argument}` must be names of labels, such as {labels[0]!r}: the labels are "
            f"integers, and number {other} is the label {labels[other]!r}, so a number "
            f"could mean either. Received: {shown(number)}."
        )


@functools.lru_cache  # the label of each word is looked at
def _another(labels: tuple[Any, ...]) -> int | None:
    """Return the number of a label that is another integer; None if all may be numbers."""
    if not all(isinstance(label, str) and _INTEGER.fullmatch(label) for label in labels):
        return None
    return next((place for place, name in enumerate(labels) if int(name) != place), None)
