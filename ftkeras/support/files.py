"""Write files that appear completely or not at all: under another name first, then renamed."""

import contextlib
import errno
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
from typing import Any

from ftkeras.errors import UserError

# What a disk says that is full or broken. Python does not say which file was written.
OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def from_here(path: pathlib.Path) -> pathlib.Path:
    """Return a path relative to the current folder if it is within it, else as it is."""
    here = pathlib.Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def require_writable(folder: str | os.PathLike, argument: str) -> pathlib.Path:
    """Return the folder as a path; it need not exist yet.

    Args:
        folder: the folder to write to.
        argument: the name of the argument that was set to this folder, for the message.

    Raises:
        UserError: naming the argument, if the folder can't be created or written.
    """
    path = pathlib.Path(folder)
    try:
        # `lexists`, because a link that leads nowhere is in the way of a folder.
        existing = next(p for p in (path, *path.absolute().parents) if os.path.lexists(p))
        path.exists()  # os.path hides that a name is too long
        writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    except PermissionError as error:
        existing, writable = pathlib.Path(error.filename), False
    except OSError as error:
        raise UserError(f"{argument}={folder} can't be written: {error.strerror}.") from None
    if not writable:
        raise UserError(
            f"{argument}={folder} can't be written: {existing} is not a writable folder."
        )
    return path


def require_writable_file(file: str | os.PathLike, argument: str) -> pathlib.Path:
    """Return the file as a path; it may exist, and its folder need not exist yet.

    Args:
        file: the file to write.
        argument: the name of the argument that was set to this file, for the message.

    Raises:
        UserError: naming the argument, if the file can't be written.
    """
    if not os.fspath(file):
        raise UserError(f"`{argument}` must name a file. Received: ''.")
    path = pathlib.Path(file)
    if path.is_dir():
        raise UserError(f"{argument}={file} can't be written: {path} is a folder.")
    try:
        require_writable(path.parent, argument)
    except UserError as error:
        reason = str(error).removeprefix(f"{argument}={path.parent} ")
        raise UserError(f"{argument}={file} {reason}") from None
    return path


def require_new(path: pathlib.Path, argument: str) -> None:
    """Raise UserError if a file exists, or can't be written.

    Args:
        path: the file.
        argument: the name of the argument that was set to this file, for the message.
    """
    if path.exists():
        raise UserError(f"{argument}={path} exists; name another file, or remove it.")
    require_writable(path.parent, argument)


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yield a path to write to. It is renamed to `path` at the end, or deleted on an error."""
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
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in OF_DISKS and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a small text file completely or not at all."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_secret(path: str | os.PathLike, content: bytes) -> None:
    """Write a small file that only its owner can read."""
    with replacing(path) as beside:
        beside.chmod(0o600)
        beside.write_bytes(content)
    pathlib.Path(path).chmod(0o600)


def write_json(path: str | os.PathLike, content: dict | list) -> None:
    """Write an indented JSON file completely or not at all."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json_lines(path: pathlib.Path) -> list[dict[str, Any]]:
    """Return the objects of a file with one on each line.

    Raises:
        OSError: the file can't be read.
        ValueError: a line is not JSON.
    """
    # Not splitlines(), which also splits at U+2028 and U+0085 within a string.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def read_json(path: pathlib.Path) -> dict:
    """Return the object in a JSON file; an empty dict if there is no such file.

    Raises:
        UserError: the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} can't be read: {error}") from None


def read_json_texts(path: pathlib.Path) -> list[str]:
    """Return the texts of a JSON file with a list of them.

    Raises:
        OSError: the file can't be read.
        ValueError: it has something else.
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("it is not a list of texts")
    return found


def within(path: pathlib.Path) -> list[pathlib.Path]:
    """Return a file itself, or all files in a folder and its folders, sorted by their paths."""
    if not path.is_dir():
        return [path]
    return sorted(one for one in path.rglob("*") if one.is_file())


@contextlib.contextmanager
def replacing_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a folder to fill. It takes the place of `path` at the end, or is deleted on an error.

    What `path` held before is deleted once the new folder is in its place. A link stays a link; the
    folder that it leads to is replaced.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f".{path.name}.{uuid.uuid4().hex}"
    draft, old = path.with_name(f"{name}.partial"), path.with_name(f"{name}.old.partial")
    draft.mkdir()
    try:
        yield draft
        if path.exists():
            path.rename(old)
        draft.rename(path)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if old.exists() and not path.exists():
            old.rename(path)
        if isinstance(error, OSError) and error.errno in OF_DISKS:  # the draft's name says little
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    shutil.rmtree(old, ignore_errors=True)


def remove(path: pathlib.Path) -> None:
    """Delete a file, a link, or a folder with all its contents, if it exists."""
    is_folder = path.is_dir() and not path.is_symlink()
    shutil.rmtree(path) if is_folder else path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: pathlib.Path, refusal: str) -> Iterator[None]:
    """Lock a file until the end of the context, or until the process dies.

    Args:
        path: the lock file; created if missing.
        refusal: the message if another process has locked it.

    Raises:
        UserError: with the message `refusal`.
    """
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(refusal) from None
        yield


@dataclass
class Version:
    """A version that is being written.

    Attributes:
        draft: the folder to write to.
        path: the folder that the draft becomes.
    """

    draft: pathlib.Path
    path: pathlib.Path


@contextlib.contextmanager
def next_version(folder: str | os.PathLike) -> Iterator[Version]:
    """Yield a folder to fill, which becomes `folder/<the next free integer>` at the end.

    If another process takes that number in the meantime, the next one is used, so no version is
    ever overwritten. The draft's name starts with a dot, so no server loads it.

    Args:
        folder: the folder of all versions; created if missing.
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
        while not _rename(version.draft, version.path):
            number += 1
            version.path = folder / str(number)
    except BaseException:
        shutil.rmtree(version.draft, ignore_errors=True)
        raise


def _remove_abandoned(folder: pathlib.Path) -> None:
    """Delete the drafts of this machine's processes that have ended."""
    ours = re.compile(rf"\.\d+\.{re.escape(platform.node())}\.(\d+)\.partial")
    for path in folder.iterdir():
        named = ours.fullmatch(path.name)
        if named and not _is_running(int(named[1])):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(pid: int) -> bool:
    """Return whether a process of this machine is running."""
    try:
        os.kill(pid, 0)  # signal 0 only checks that the process exists
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _rename(source: pathlib.Path, target: pathlib.Path) -> bool:
    """Rename a folder; return False if the target exists."""
    try:
        source.rename(target)  # fails if the target is a folder that is not empty
    except OSError:
        if target.exists():
            return False
        raise
    return True
