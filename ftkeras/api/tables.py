"""DataFrames; pandas is optional."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftkeras.errors import UserError
from ftkeras.support.files import from_here

if TYPE_CHECKING:
    import pandas

_PROBABILITIES = "probabilities"


def frame(rows: Sequence[Mapping[str, Any]], *, instead: str) -> "pandas.DataFrame":
    """Return rows as a DataFrame.

    Args:
        rows: dicts by column.
        instead: where the same can be had without pandas, for the message.

    Raises:
        UserError: if pandas is not installed.
    """
    return require_pandas(instead).DataFrame(list(rows))


def read_predictions(path: pathlib.Path, labels: Sequence[str]) -> "pandas.DataFrame":
    """Return a file of predictions as a DataFrame, with a column for each label's number.

    Args:
        path: a file of JSON lines.
        labels: the names of the outputs, in their order.

    Raises:
        UserError: if pandas is not installed.
    """
    with path.open(encoding="utf-8") as file:
        rows = [flat(json.loads(line), labels) for line in file]
    return frame(rows, instead=f"read {from_here(path)}")


def require_pandas(instead: str) -> Any:
    """Return the module pandas.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise UserError(
            f"DataFrames need pandas: pip install 'ftkeras[pandas]'. Without it, {instead}."
        ) from None
    return pandas


def flat(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a row with a column for each number of a list that has one for each name.

    A question with fewer options than others has fewer probabilities.

    >>> flat({"id": "test-0", "probabilities": [0.25, 0.75]}, ["bad", "good"])
    {'id': 'test-0', 'probability_bad': 0.25, 'probability_good': 0.75}
    >>> flat({"probabilities": [0.25, 0.75]}, ["0", "1", "2"])
    {'probability_0': 0.25, 'probability_1': 0.75}
    >>> flat({"labels": ["bad", "good"]}, ["bad", "good"])
    {'labels': ['bad', 'good']}
    >>> flat({"labels": ["a"], "values": [0.5]}, ["stars"])
    {'labels': ['a'], 'values': 0.5}
    """
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key == _PROBABILITIES and 1 < len(names) >= len(value):
            found |= {f"probability_{n}": v for n, v in zip(names, value, strict=False)}
        elif not _has_number_for_each(value, names):
            found[key] = value
        elif len(names) == 1:
            found[key] = value[0]
        else:
            found |= {f"{key}_{n}": v for n, v in zip(names, value, strict=True)}
    return found


def _has_number_for_each(value: Any, names: Sequence[str]) -> bool:
    is_list = isinstance(value, list) and len(value) == len(names)
    return is_list and all(isinstance(number, int | float) for number in value)
