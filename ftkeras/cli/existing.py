"""Check that what a command reads exists before TensorFlow is imported, which takes seconds."""

import os
import pathlib
from typing import Any

from ftkeras import catalog
from ftkeras.cli.commands import VERBS
from ftkeras.config.launch import LaunchConfig
from ftkeras.errors import PartError, UserError
from ftkeras.runs import layout

SPLITS = ("train", "validation", "test")


def check(verb: str, config: Any) -> None:
    """Check that the run, the model and the files of a command are there; verbs check the rest.

    Args:
        verb: the verb.
        config: what its flags filled.

    Raises:
        UserError: one of them does not exist.
    """
    if isinstance(config, LaunchConfig):
        verb, config = config.verb, config.config
    if VERBS[verb].reads_run and config.run_dir is not None and not _is_folds(config.run_dir):
        require_run(config.run_dir)
    model = getattr(config, "model", None)
    if model and not pathlib.Path(model).exists():
        raise UserError(
            f"model={model}: there is no such folder; name an exported model, such as "
            "saved_models/reviews."
        )
    for folder in getattr(config, "folders", ()):
        if not pathlib.Path(folder).is_dir():
            raise UserError(f"{folder} is not the folder of a run: there is no such folder.")
    if getattr(config, "task", None) and not _has_run(verb, config):
        _require_files(config.task, config.data_dir)


def require_run(run_dir: str) -> pathlib.Path:
    """Return the flagfile of the run in a folder.

    Raises:
        UserError: it has none, so it is not the folder of a run.
    """
    path = pathlib.Path(run_dir) / layout.SETTINGS
    if not path.is_file():
        raise UserError(
            f"run_dir={run_dir} is not the folder of a run: it has no {layout.SETTINGS}."
        )
    return path


def _is_folds(run_dir: str) -> bool:
    """Return whether a folder is that of a cross-validation, which `select` reads."""
    return (pathlib.Path(run_dir) / layout.CROSSVALIDATION_SETTINGS).is_file()


def _has_run(verb: str, config: Any) -> bool:
    """Return whether there is a run already, which may not need all of its files again."""
    run_dir = getattr(config, "run_dir", None) or ""
    has_one = bool(run_dir) and (pathlib.Path(run_dir) / layout.SETTINGS).exists()
    return VERBS[verb].reads_run or has_one


def _require_files(task: str, data_dir: str | None) -> None:
    arguments = catalog.parse("task", task).arguments
    if not any(split in arguments for split in SPLITS):
        return
    from ftkeras.data.tables import opening  # takes a second, which `--help` need not wait for

    folder = pathlib.Path(os.path.expanduser(data_dir or "."))
    for split in SPLITS:
        given = arguments.get(split)
        names = given if isinstance(given, tuple | list) else () if given is None else (given,)
        for name in names:
            if not isinstance(name, str):
                raise PartError("task", task, f"`{split}` must name a file. Received: {name!r}.")
            opening.find_files(name, folder)
