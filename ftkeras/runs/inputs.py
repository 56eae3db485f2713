"""The inputs of a run's model: whether texts come in pairs, and the columns they were read from."""

import pathlib
from collections.abc import Mapping
from typing import Any

from ftkeras.runs import layout
from ftkeras.support import files


def write(folder: pathlib.Path, inputs: Mapping[str, Any]) -> None:
    """Write inputs.json.

    Args:
        folder: the run's, or that of its export.
        inputs: whether texts come in "pairs", and the columns that hold "text" (a list), "pair" and
            "label" if the examples come from a table, with the "notation" of answers if there are
            several.
    """
    files.write_json(folder / layout.INPUTS, dict(inputs))


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return what `write` wrote into a folder.

    Returns:
        An empty dict if there is no such file, as in runs of earlier versions.

    Raises:
        UserError: the file is damaged.
    """
    return files.read_json(folder / layout.INPUTS)
