"""Entries of a cache on disk: folders of files that appear complete, with checksums.

An entry appears by a rename, so two processes may write it at once. A damaged entry is detected and
replaced.
"""

import json
import pathlib
import shutil
import time
import uuid
import zlib
from collections.abc import Callable

# The file of checksums. It is written last; an entry without it is incomplete.
CHECKSUMS = "checksums.json"
# A draft that has not been written to for this long belongs to a killed process.
SECONDS_TO_LIVE = 24 * 3600
_CHUNK = 1 << 24


def store(home: pathlib.Path, write: Callable[[pathlib.Path], str]) -> pathlib.Path:
    """Write an entry, and return its folder.

    Args:
        home: the folder of all entries; created if it is missing.
        write: writes the files into an empty folder, and returns the entry's name.

    Raises:
        OSError: if the folder can't be written.
    """
    home.mkdir(parents=True, exist_ok=True)
    _clean_up(home)
    draft = home / f".{uuid.uuid4().hex}.partial"
    draft.mkdir()
    try:
        entry = home / write(draft)
        sums = {path.name: _checksum(path) for path in sorted(draft.iterdir())}
        (draft / CHECKSUMS).write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")
        while not _rename(draft, entry) and not is_intact(entry):
            _rename(entry, draft.with_suffix(f".{uuid.uuid4().hex}.damaged"))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _clean_up(home)
    return entry


def is_intact(entry: pathlib.Path) -> bool:
    """Return whether an entry is complete and unchanged since it was written."""
    try:
        sums = json.loads((entry / CHECKSUMS).read_text(encoding="utf-8"))
        return bool(sums) and sums == {column: _checksum(entry / column) for column in sums}
    except (OSError, ValueError):
        return False


def _checksum(path: pathlib.Path) -> list[int]:
    """Return the size of a file in bytes and its CRC-32."""
    size = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return [size, crc]


def _rename(source: pathlib.Path, target: pathlib.Path) -> bool:
    """Rename a folder; return False if another process was faster."""
    try:
        source.rename(target)  # fails if the target is a folder that is not empty
    except OSError:
        if target.exists() or not source.exists():
            return False
        raise
    return True


def _clean_up(home: pathlib.Path) -> None:
    """Delete damaged entries, and drafts that killed processes have left."""
    for path in home.glob(".*"):
        try:
            newest = max(p.stat().st_mtime for p in (path, *path.iterdir()))
        except OSError:  # deleted by another process
            continue
        if path.suffix == ".damaged" or time.time() - newest > SECONDS_TO_LIVE:
            shutil.rmtree(path, ignore_errors=True)
