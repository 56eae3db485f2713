"""The interface that every format of weights has."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from ftkeras.errors import UserError

LONGEST = 80


class Weights(Protocol):
    """A file of tensors, whose names and shapes are those of a PyTorch model.

    Nothing is read before it is asked for.
    """

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor, by name."""
        ...

    def read(self, name: str) -> np.ndarray:
        """Return one tensor; half precision is returned as float32.

        Raises:
            UserError: the file is gone or damaged.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Format:
    """A format of weights, and how it is recognized in a folder.

    Args:
        file: pattern of the file's name; of a checkpoint of several files, the one that is opened.
        open: opens a file. It raises a UserError if the file is damaged or refused.
        index: the JSON file that names the shards of larger models, if the format has one.
        parts: patterns of all its files, for a download.
        index_has_names: whether the index has the names of the tensors as they are read, not
            only those of the shards.
    """

    file: str
    open: Callable[[pathlib.Path], Weights]
    index: str | None
    parts: tuple[str, ...]
    index_has_names: bool = True


def damaged(path: pathlib.Path, kind: str, why: object) -> UserError:
    """Return the error of a file that can't be read as what its name says."""
    return UserError(f"`encoder`: {path} is damaged or not {kind} ({why}); fetch it again")


def shown(text: object) -> str:
    """Return a name from an untrusted file for a message: one short line of printable ASCII.

    >>> shown("os.system")
    'os.system'
    >>> shown("a" * 100 + chr(10))[-4:]
    'aaa…'
    """
    line = ascii(str(text)[: LONGEST + 1])[1:-1]
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
