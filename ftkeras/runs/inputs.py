"""The inputs of a run's model: whether texts come in pairs, and the columns they were read from."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.config.run import Config
from ftkeras.data.tables import opening
from ftkeras.errors import UserError
from ftkeras.runs import exported, layout
from ftkeras.support import files, hashes


def write(folder: pathlib.Path, inputs: Mapping[str, Any]) -> None:
    """Write inputs.json.

    Args:
        folder: the run's, or that of its export.
        inputs: whether texts come in "pairs", and the columns that hold "text" (a list), "pair" and
            "label" if the examples come from a table, with the "notation" of answers if there are
            several; and what `further` returns.
    """
    files.write_json(folder / layout.INPUTS, dict(inputs))


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return the inputs that `write` recorded in a folder.

    Returns:
        An empty dict if there is no such file, as in runs of earlier versions.

    Raises:
        UserError: the file is damaged.
    """
    return files.read_json(folder / layout.INPUTS)


def further(config: Config) -> dict[str, Any]:
    """Return the digests of what a run learns from besides its data, by its field, if anything."""
    models = {name: exported.deciding(pathlib.Path(name)) for name in config.teacher}
    teachers = {name: hashes.of_contents(paths) for name, paths in models.items() if paths}
    found = {"unlabelled": digests(config.unlabelled), "teacher": teachers}
    return {field: of for field, of in found.items() if of}


def digests(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the SHA-256 digests of the files that names and patterns stand for, by name.

    Raises:
        UserError: if there is no such file.
    """
    return {
        name: hashes.condensed({str(path): hashes.sha256(path) for path in find(name)})
        for name in names
    }


def find(name: str) -> list[pathlib.Path]:
    """Return the files of unlabelled texts that a name or a pattern stands for.

    Raises:
        UserError: if there is no such file.
    """
    paths = [p for one in opening.find_files(name, pathlib.Path()) for p in files.within(one)]
    return [path for path in paths if path.is_file()]


def check_unchanged(config: Config, folder: pathlib.Path) -> None:
    """Raise UserError if unlabelled texts or a teacher have changed since a run started.

    Args:
        config: of the run.
        folder: of the run, or of none.
    """
    if not (recorded := read(folder)):
        return
    for field, now in further(config).items():
        for name, digest in now.items():
            if digest != recorded.get(field, {}).get(name, digest):
                raise UserError(
                    f"{field}={name} has changed since the run in run_dir={folder} started; name "
                    "another folder, or start from scratch with `restart`."
                )
