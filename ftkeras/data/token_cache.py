"""Token ids that stay on disk from run to run: `<folder>/<settings>/<content>/`, a file a column.

`settings` is a hash of all that token ids hang on beside the texts; `content` one of every text and
label in their order. The texts are read and hashed each time, for only that tells for sure that
they are the same; what is saved is tokenizing them. An entry appears whole, by a rename, so two
processes may write it at once, and it holds checksums, so a damaged one is made anew.
"""

import hashlib
import json
import pathlib
import shutil
import time
import uuid
import zlib
from collections.abc import Callable

import tensorflow as tf

from ftkeras.data import token_store
from ftkeras.data.examples import Examples

# Written last; an entry without it is none.
SEAL = "checksums.json"
# A draft that nobody has written to for so long is a killed process's.
SECONDS_TO_LIVE = 24 * 3600
CHUNK = 1 << 24


class Cache:
    """The token ids of one text layer's settings.

    Args:
        folder: of all entries; made when the first is written.
        settings: what token ids hang on, as JSON has it.
    """

    def __init__(self, folder: pathlib.Path, *, settings: dict):
        written = json.dumps({**settings, "columns": list(token_store.COLUMNS)}, sort_keys=True)
        self.home = folder / hashlib.sha256(written.encode()).hexdigest()[:32]

    def examples(
        self, dataset: tf.data.Dataset, text_layer: Callable, *, name: str, pairs: bool
    ) -> tuple[Examples, bool]:
        """The examples of `dataset`, and whether their token ids were there already.

        Raises:
            OSError: the folder can't be written.
        """
        # Where nothing is, one pass over the texts will do: it gives the ids and the key.
        if self.home.is_dir():
            entry = self.home / token_store.content_key(dataset, pairs=pairs)
            if is_sound(entry):
                return token_store.read_arrays(entry, name=name, pairs=pairs), True
        entry = self._write(dataset, text_layer, pairs)
        return token_store.read_arrays(entry, name=name, pairs=pairs), False

    def _write(self, dataset: tf.data.Dataset, text_layer: Callable, pairs: bool) -> pathlib.Path:
        self.home.mkdir(parents=True, exist_ok=True)
        _sweep(self.home)
        draft = self.home / f".{uuid.uuid4().hex}.partial"
        draft.mkdir()
        try:
            entry = self.home / token_store.write_arrays(dataset, text_layer, draft, pairs=pairs)
            sums = {column: _checksum(draft / column) for column in token_store.COLUMNS}
            (draft / SEAL).write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")
            while not _renamed(draft, entry) and not is_sound(entry):
                _renamed(entry, draft.with_suffix(f".{uuid.uuid4().hex}.damaged"))
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        _sweep(self.home)
        return entry


def is_sound(entry: pathlib.Path) -> bool:
    """Whether all of an entry is there, as it was written."""
    try:
        sums = json.loads((entry / SEAL).read_text(encoding="utf-8"))
        return sums == {column: _checksum(entry / column) for column in token_store.COLUMNS}
    except (OSError, ValueError):
        return False


def _checksum(path: pathlib.Path) -> list[int]:
    """Bytes and CRC-32 of a file."""
    size = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return [size, crc]


def _renamed(source: pathlib.Path, target: pathlib.Path) -> bool:
    try:
        source.rename(target)  # onto a folder that holds something, this fails
    except OSError:
        if target.exists() or not source.exists():  # another process was faster
            return False
        raise
    return True


def _sweep(home: pathlib.Path) -> None:
    """Removes what was damaged, and drafts that killed processes left."""
    for path in home.glob(".*"):
        try:
            newest = max(p.stat().st_mtime for p in (path, *path.iterdir()))
        except OSError:  # gone meanwhile
            continue
        if path.suffix == ".damaged" or time.time() - newest > SECONDS_TO_LIVE:
            shutil.rmtree(path, ignore_errors=True)
