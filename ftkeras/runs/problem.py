"""The problem of a finished run or of an export, as its folder records it."""

import pathlib
from collections.abc import Sequence
from typing import Any

from ftkeras import problems
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.runs import layout
from ftkeras.support import files


def read_labels(folder: pathlib.Path) -> tuple[str, ...]:
    """Return the names of a run's outputs, in their order.

    Args:
        folder: the run's.

    Raises:
        UserError: labels.json is missing or damaged.
    """
    path = folder / layout.LABELS
    try:
        return tuple(files.read_json_texts(path))
    except (OSError, ValueError):
        raise UserError(f"{path} can't be read, so {folder} is not a finished run.") from None


def of_run(folder: pathlib.Path) -> Problem:
    """Return the problem of a run.

    Raises:
        UserError: labels.json is missing, or a file is damaged.
    """
    return read(folder, read_labels(folder))


def read_state(folder: pathlib.Path) -> dict[str, Any]:
    """Return the content of problem.json; an empty dict if there is no such file.

    Args:
        folder: the run's, or that of its export.

    Raises:
        UserError: the file is damaged.
    """
    return files.read_json(folder / layout.PROBLEM)


def read(folder: pathlib.Path, labels: Sequence[str]) -> Problem:
    """Return the problem of a run or an export.

    Args:
        folder: the run's, or that of its export.
        labels: the names of the outputs, in their order.

    Raises:
        UserError: problem.json is damaged.
    """
    return problems.recorded(labels, read_state(folder))


def write(folder: pathlib.Path, problem: Problem) -> None:
    """Write problem.json, if the problem has learned anything."""
    write_state(folder, problem.state())


def write_state(folder: pathlib.Path, state: dict[str, Any]) -> None:
    """Write problem.json, unless the state is empty."""
    if state:
        files.write_json(folder / layout.PROBLEM, state)
