"""Checkpoints: the complete training state of a run after some update, in one file each."""

import contextlib
import dataclasses
import logging
import pathlib
import re
import shutil
from dataclasses import dataclass

import numpy as np

from ftkeras.checkpoints import tensor_file

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Position:
    """A position in a run: before batch `step` of `epoch`, both counted from 0."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True)
class State:
    """All that a run needs to resume as if it had not been interrupted.

    Attributes:
        position: where training resumes.
        updates: the number of optimizer updates made so far.
        tensors: values of variables by name.
        facts: further state, of JSON types only.
    """

    position: Position
    updates: int
    tensors: dict[str, np.ndarray]
    facts: dict


class Checkpoints:
    """A folder of checkpoints, of which the newest are kept.

    A checkpoint appears complete or not at all, and its checksum is verified when it is read. If it
    is damaged nevertheless, the one before it is used, with a warning.

    Args:
        folder: need not exist.
        keep: the number of checkpoints to keep; positive.
    """

    def __init__(self, folder: pathlib.Path, *, keep: int):
        self.folder, self.keep = folder, keep

    def write(self, state: State) -> None:
        """Write the state, then remove the oldest checkpoints, and those of later updates.

        These are damaged: training resumed from one before them.
        """
        name = f"update-{state.updates:09d}.epoch-{state.position.epoch:05d}.safetensors"
        path, position = self.folder / name, dataclasses.asdict(state.position)
        about = {"place": position, "updates": state.updates, "facts": state.facts}
        tensor_file.write(path, state.tensors, about)
        for later in self.paths():
            if later.name > name:
                later.unlink()
        self.prune(self.keep)

    def prune(self, keep: int) -> None:
        """Remove all checkpoints but the newest ones.

        Args:
            keep: the number to keep; 0 removes the folder with everything in it.
        """
        if keep == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        for path in self.paths()[: -keep or None]:
            path.unlink()

    def newest(self) -> State | None:
        """Return the state of the newest undamaged checkpoint; None if there is none."""
        paths = self.paths()
        for path in reversed(paths):
            try:
                tensors, about = tensor_file.read(path)
            except tensor_file.DamagedError as error:
                is_last = path == paths[0]
                instead = "training starts again" if is_last else "the one before it is used"
                log.warning(f"{error}; {instead}")
                continue
            return State(Position(**about["place"]), about["updates"], tensors, about["facts"])
        return None

    def facts(self) -> list[dict]:
        """Return the `facts` of the state of each checkpoint that is not damaged, oldest first."""
        found = []
        for path in self.paths():
            with contextlib.suppress(tensor_file.DamagedError):  # `newest` reports it
                found.append(tensor_file.read_facts(path)["facts"])
        return found

    def paths(self) -> list[pathlib.Path]:
        """Return the paths of the checkpoints, oldest first."""
        named = re.compile(r"update-\d+\.epoch-\d+\.safetensors")
        paths = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(path for path in paths if named.fullmatch(path.name))
