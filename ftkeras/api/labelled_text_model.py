"""The base class of Keras models whose outputs have names."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.api.checked_model import same_length
from ftkeras.api.columns import is_column, numbers_or_names, plain, shown
from ftkeras.api.label_numbers import refuse_ambiguous
from ftkeras.api.text_model import TextModel

# What to do with names in a dataset.
NAMES = "`keras.layers.StringLookup(vocabulary=labels, num_oov_indices=0)` turns names into them"


class LabelledTextModel(TextModel):
    """The base class of text models with an output for each label.

    Args:
        labels: the names of the labels, in the order of the outputs.
        outputs: the number of outputs of the head.
        least: the smallest number of labels.
        **parts: the other arguments of `TextModel`.

    Raises:
        ValueError: if `labels` are not different names, one for each output.
    """

    def __init__(self, *, labels: Sequence[str], outputs: int, least: int, **parts: Any):
        check_labels(labels, least, outputs)
        super().__init__(**parts)
        self.labels = tuple(map(str, labels))

    def get_config(self) -> dict[str, Any]:
        own = {"labels": list(self.labels), "activation": self.activation}
        return {**super().get_config(), **own}

    def _stacked(self, x: Any, columns: Mapping[Any, Any]) -> np.ndarray:
        """Return the columns of a table in the order of the labels.

        Raises:
            ValueError: if they are not named by the labels, or by their numbers, as pandas does;
                or may be named by either.
        """
        by_name: dict[Any, Any] = {str(name): column for name, column in columns.items()}
        numbers = range(len(self.labels))
        is_named = len(by_name) == len(columns) and set(by_name) == set(self.labels)
        is_numbered = set(columns) == set(numbers)
        if not is_named and not is_numbered:
            raise ValueError(
                f"`y` must have a column for each of the labels {', '.join(self.labels)}. "
                f"Received: {', '.join(map(repr, columns))}."
            )
        if is_named and is_numbered:
            refuse_ambiguous(self.labels, next(iter(columns)), "y")
        names, columns = (self.labels, by_name) if is_named else (numbers, columns)
        for name in names:
            same_length(x, columns[name], f"y[{name!r}]")
        found = [numbers_or_names(columns[name], "y", "numbers") for name in names]
        return np.stack(found, axis=1)


def check_labels(labels: Any, least: int, outputs: int | None = None) -> None:
    """Raise ValueError unless labels are different names.

    Args:
        labels: what should be names.
        least: the smallest number of them.
        outputs: the number of outputs of the head, if there is one.
    """
    is_names = is_column(labels) and all(isinstance(label, str) for label in labels)
    if not is_names or len(set(labels)) < max(least, len(labels)):
        raise ValueError(
            f"`labels` must be {'two or more ' if least == 2 else ''}different names. "
            f"Received: {labels!r}."
        )
    if outputs not in (None, len(labels)):
        raise ValueError(
            f"`labels` must be {outputs} names, one for each output of the head. "
            f"Received: {labels!r}."
        )


def numbered(labels: Sequence[str]) -> dict[str, int]:
    """Return the number of each label."""
    return {label: number for number, label in enumerate(labels)}


def number_of(numbers: Mapping[str, int], label: Any, position: int) -> int:
    """Return the number of a label.

    Args:
        numbers: the numbers of all labels.
        label: the name of one.
        position: that of its example.

    Raises:
        ValueError: if it is no label.
    """
    name = plain(label)
    if not isinstance(name, str) or name not in numbers:
        raise ValueError(
            f"`y` must contain only the labels {', '.join(numbers)}. "
            f"Received: {shown(name)} at position {position}."
        )
    return numbers[name]
