"""Files that appear whole or not at all: written beside, then renamed."""

import contextlib
import fcntl
import json
import os
import pathlib
import platform
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from ftkeras.errors import UserError


def must_be_writable(folder: str | os.PathLike, flag: str) -> pathlib.Path:
    """The folder, which need not be there yet.

    Raises:
        UserError: naming the flag, where the folder can't be made or written.
    """
    path = pathlib.Path(folder)
    try:
        standing = next(p for p in (path, *path.absolute().parents) if p.exists())
        writable = standing.is_dir() and os.access(standing, os.W_OK | os.X_OK)
    except PermissionError as error:
        standing, writable = pathlib.Path(error.filename), False
    if not writable:
        raise UserError(f"{flag}={folder} can't be written: {standing} is no writable folder.")
    return path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A path to write to; on leaving it becomes `path`, and on an error it is removed."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Threads, and machines that share a folder, may write the same file at once.
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        beside.touch()
        mode = beside.stat().st_mode
        yield beside
        # safetensors makes files that only their owner can read; a server may be another user.
        beside.chmod(mode)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a small text file whole."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, content: dict | list) -> None:
    """Writes a JSON file whole, indented for a reader."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def remove(path: pathlib.Path) -> None:
    """Removes a file, or a folder with all in it, where there is one."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: pathlib.Path, refusal: str) -> Iterator[None]:
    """Holds a lock file, which dies with its owner.

    Raises:
        UserError: `refusal`, where another process holds it.
    """
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(refusal) from None
        yield


@dataclass
class Version:
    """A version being written: into `draft`, which then stands as `path`."""

    draft: pathlib.Path
    path: pathlib.Path


@contextlib.contextmanager
def next_version(folder: str | os.PathLike) -> Iterator[Version]:
    """A folder to fill; on leaving it becomes `folder/<the next free integer>`.

    Should another process take that number meanwhile, the next one is taken: nobody's version is
    overwritten. The draft's name begins with a dot and is no number, so no server loads it.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    number = 1 + max((int(p.name) for p in folder.iterdir() if p.name.isdecimal()), default=0)
    draft = folder / f".{number}.{platform.node()}.{os.getpid()}.partial"
    version = Version(draft, folder / str(number))
    try:
        version.draft.mkdir()
        yield version
        while not _renamed(version.draft, version.path):
            number += 1
            version.path = folder / str(number)
    except BaseException:
        shutil.rmtree(version.draft, ignore_errors=True)
        raise


def _remove_abandoned(folder: pathlib.Path) -> None:
    """Removes the drafts of processes of this machine that are no more."""
    ours = re.compile(rf"\.\d+\.{re.escape(platform.node())}\.(\d+)\.partial")
    for path in folder.iterdir():
        named = ours.fullmatch(path.name)
        if named and not _is_running(int(named[1])):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # signal 0 only checks that the process exists
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _renamed(source: pathlib.Path, target: pathlib.Path) -> bool:
    try:
        source.rename(target)  # onto a folder that holds something, this fails
    except OSError:
        if target.exists():
            return False
        raise
    return True
