"""Write the answers of a model as a file: the columns of the input, and those of the answers.

While `answers.csv` is being written, its rows are in the folder `answers.csv.partial`. The file
`state.json` there holds the settings and the model, how many rows are complete, and a digest of the
texts that they answer. After an interruption, the folder stays, and `resume` continues from there.
"""

import contextlib
import hashlib
import importlib.util
import itertools
import logging
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError
from ftkeras.prediction.drafts import Draft, open_draft, valid
from ftkeras.prediction.inputs import Inputs, Item
from ftkeras.support import files

log = logging.getLogger(__name__)

# Items that are answered and written together.
CHUNK = 4096
_STATE, _LOCK = "state.json", "lock"


def check_output(
    output: str, inputs: Inputs, read: Sequence[pathlib.Path], columns: Mapping[str, type]
) -> None:
    """Refuse a file that can't be written, before anything is answered.

    Args:
        output: the file to write.
        inputs: what is answered.
        read: the files it is read from, if any.
        columns: of the answers, from the problem.

    Raises:
        UserError: if the folder can't be written, the file is one of those that are read, a column
            of the input has the name of another one, or a package is missing.
    """
    path = pathlib.Path(output)
    files.require_writable(path.parent, "output")
    if path.is_dir():
        raise UserError(f"output={output} is a folder.")
    if path.resolve() in [one.resolve() for one in read]:
        raise UserError(f"output={output} is the input; write another file.")
    source = repr(str(read[0])) if read else "the input"
    if clash := [name for name in columns if name in inputs.columns]:
        raise UserError(
            f"`output`: {source} has a column {clash[0]!r}, the name of a column of answers; "
            "rename it."
        )
    doubled = [name for name in inputs.columns if inputs.columns.count(name) > 1]
    if doubled and path.suffix.lower() != ".csv":
        raise UserError(
            f"`output`: {source} has two columns {doubled[0]!r}, which only a .csv file can hold."
        )
    if path.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UserError("`output`: Parquet needs: pip install 'ftkeras[data]'")


@contextlib.contextmanager
def open_answers(
    output: str,
    inputs: Inputs,
    columns: Mapping[str, type],
    *,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> Iterator["Answers"]:
    """Yield the answers to write to; the file appears when they are complete.

    After an exception, the complete chunks stay for `resume`; if there is none, nothing does.

    Args:
        output: the file to write.
        inputs: what is answered.
        columns: of the answers, str, float or int by name.
        settings: what the answers depend on beside the items, plain JSON; it must be the same when
            they are resumed.
        resume: whether to continue answers that were interrupted, if there are any.

    Raises:
        UserError: if another process writes the file, there are interrupted answers but `resume` is
            not set, or their settings differ.
    """
    folder = pathlib.Path(f"{output}.partial")
    folder.mkdir(parents=True, exist_ok=True)
    with files.locked(folder / _LOCK, f"output={output} is being written by another process."):
        state = _read_state(folder, output, resume)
        about = {**(settings or {}), "columns": [*map(valid, inputs.columns), *columns]}
        _require_same(about, state.get("settings", about), folder)
        if not state:
            _clear(folder)
        suffix = pathlib.Path(output).suffix.lower()
        draft = open_draft(suffix, folder, inputs, columns, state.get("position"))
        answers = Answers(folder, draft, about, state)
        try:
            with contextlib.closing(draft):
                yield answers
                finished = draft.finish()
            os.replace(finished, output)
        except BaseException:
            if not answers.count:
                files.remove(folder)
            raise
        (folder / _STATE).unlink(missing_ok=True)
        files.remove(folder)


class Answers:
    """Rows that are being written, in chunks, each of which is complete or absent after a crash.

    Args:
        folder: of the draft and its state.
        draft: the rows.
        settings: what the answers depend on beside the items.
        state: of interrupted answers; empty to start.

    Attributes:
        count: the rows that are complete.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        draft: Draft,
        settings: Mapping[str, Any],
        state: Mapping[str, Any],
    ):
        self._folder, self._draft, self._settings = folder, draft, settings
        self.count: int = state.get("rows", 0)
        self._digest: str = state.get("digest", "")

    def skip_answered(self, items: Iterator[Item]) -> None:
        """Skip the items that are answered already.

        Raises:
            UserError: if they are not those that were answered.
        """
        left, digest = self.count, ""
        while left and (chunk := list(itertools.islice(items, min(left, CHUNK)))):
            digest = _digest(digest, chunk)
            left -= len(chunk)
        if left or digest != self._digest:
            raise UserError(
                f"`resume`: the first {self.count:,} texts of the input are not those with answers "
                f"in {self._folder}; delete it to start from the beginning."
            )
        if self.count:
            log.info("%s", f"{self.count:,} answers are in {self._folder}; continuing after them")

    def write(self, items: Sequence[Item], rows: Sequence[Row]) -> None:
        """Write a chunk of at most `CHUNK` rows.

        Args:
            items: what was answered.
            rows: for each item, the values of the input's columns, then those of the answer's.
        """
        position = self._draft.append(rows)
        self._digest = _digest(self._digest, items)
        self.count += len(items)
        state = {"rows": self.count, "position": position, "digest": self._digest}
        files.write_json(self._folder / _STATE, {"settings": self._settings, **state})


def _read_state(folder: pathlib.Path, output: str, resume: bool) -> dict[str, Any]:
    state = files.read_json(folder / _STATE)
    if state and not resume:
        raise UserError(
            f"output={output} was interrupted after {state['rows']:,} answers; `resume` continues, "
            f"or delete {folder} to start from the beginning."
        )
    return state


def _require_same(settings: Mapping, before: Mapping, folder: pathlib.Path) -> None:
    """Raise UserError unless interrupted answers had the same settings."""
    for name in settings.keys() | before.keys():
        if (now := settings.get(name)) != (then := before.get(name)):
            raise UserError(
                f"`resume`: the answers in {folder} have {name} {then!r}, not {now!r}; use the "
                "same, or delete the folder to start from the beginning."
            )


def _clear(folder: pathlib.Path) -> None:
    """Delete the rows of a chunk that was not complete."""
    for path in folder.iterdir():
        if path.name != _LOCK:
            files.remove(path)


def _digest(before: str, items: Sequence[Item]) -> str:
    """Return the digest of a chunk and, through theirs, of all chunks before it."""
    content = repr((before, [(item.text, item.pair, item.row) for item in items]))
    return hashlib.blake2b(content.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
