"""SHA-256 digests of files and folders, and what has changed since they were recorded."""

import hashlib
import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence

from ftkeras.support import files

# Files that are recorded one by one.
MOST = 1000
_ALL = re.compile(r"one of [\d,]+ files")


def sha256(path: pathlib.Path) -> str:
    """Return the SHA-256 digest of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_folder(folder: pathlib.Path, *, without: Sequence[str] = ()) -> dict[str, str]:
    """Return the digest of each file in a folder and its folders, by its path from there.

    Args:
        folder: to read.
        without: paths from there to leave out.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in files.within(folder)}
    return {name: sha256(path) for name, path in paths.items() if name not in without}


def of_contents(paths: Iterable[pathlib.Path]) -> str:
    """Return one SHA-256 of files in their order, whatever their names are."""
    return hashlib.sha256("".join(map(sha256, paths)).encode()).hexdigest()


def of_code() -> str:
    """Return one SHA-256 of all Python files of this package, their paths included."""
    home = pathlib.Path(__file__).parents[1]
    return _of_all({p.relative_to(home).as_posix(): sha256(p) for p in home.rglob("*.py")})


def condensed(digests: Mapping[str, str]) -> dict[str, str]:
    """Return digests by path; of more than 1,000 files, one of them all.

    >>> condensed({str(number): "0" for number in range(2000)}).keys()
    dict_keys(['one of 2,000 files'])
    """
    if len(digests) <= MOST:
        return dict(digests)
    return {f"one of {len(digests):,} files": _of_all(digests)}


def is_condensed(digests: Mapping[str, str]) -> bool:
    """Return whether digests are one of all files, so that they name none.

    >>> is_condensed({"one of 2,000 files": "0"}), is_condensed({"data.csv": "0"})
    (True, False)
    """
    return len(digests) == 1 and all(_ALL.fullmatch(name) for name in digests)


def _of_all(digests: Mapping[str, str]) -> str:
    lines = (f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def first_of(changes: Sequence[str], most: int = 3) -> list[str]:
    """Return the first changes, and how many more there are.

    >>> first_of(["a is new", "b is new", "c is new"], most=1)
    ['a is new', 'and 2 more']
    """
    more = len(changes) - most
    return [*changes[:most], *([f"and {more:,} more"] if more > 0 else [])]


def changes(recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return which files are changed, missing or new, a phrase each.

    Args:
        recorded: digests by path.
        now: the digests now.

    >>> changes({"a": "1", "b": "2"}, {"b": "3", "c": "4"})
    ['a is missing', 'b is changed', 'c is new']
    """
    listed = []
    for name in sorted({*recorded, *now}):
        if name not in now:
            listed.append(f"{name} is missing")
        elif name not in recorded:
            listed.append(f"{name} is new")
        elif recorded[name] != now[name]:
            listed.append(f"{name} is changed")
    return listed
