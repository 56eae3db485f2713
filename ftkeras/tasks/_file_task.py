"""The files of a task on the user's own data."""

import os
import pathlib
from collections.abc import Mapping, Sequence

from ftkeras.data.tables import opening
from ftkeras.data.tables.reading import Options, given_files
from ftkeras.data.task import Task


class FileTask(Task):
    """A task whose splits are read from the user's own files.

    Args:
        files: names of files by split; None for a split that is held out of "train".
        options: how the files are read.
        data_dir: the folder for relative file names; None for the current one.
        required: the splits that must have files.

    Raises:
        ValueError: if a split's files are not names. The message names the split and the value.
    """

    def __init__(
        self,
        *,
        files: Mapping[str, str | Sequence[str] | None],
        options: Options,
        data_dir: str | None,
        required: tuple[str, ...] = ("train",),
    ):
        self._files = given_files(files, required=required)
        self._options = options
        self._folder = pathlib.Path(os.path.expanduser(data_dir or "."))

    def files(self) -> dict[str, list[pathlib.Path]]:
        return opening.files_by_split(self._files, self._folder)
