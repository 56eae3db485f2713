"""The checkpoints of a run: each the run's whole state after some update, in one file."""

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
class Place:
    """Where in a run its state was taken: before batch `step` of `epoch`, both from 0."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True)
class State:
    """All that a run needs to go on as if it had not stopped.

    Attributes:
        place: where it goes on.
        updates: the optimizer's, made so far.
        tensors: values of variables, by a name.
        facts: what is kept beside them, JSON's types only.
    """

    place: Place
    updates: int
    tensors: dict[str, np.ndarray]
    facts: dict


class Checkpoints:
    """A folder of checkpoints, of which the newest `keep` stay.

    A checkpoint appears whole or not at all, and is checked against its checksum when it is read:
    one that is damaged all the same is passed over, with a warning, for the one before.
    """

    def __init__(self, folder: pathlib.Path, *, keep: int):
        self.folder, self.keep = folder, keep

    def write(self, state: State) -> None:
        """Writes the state, and removes what is too old."""
        place = dataclasses.asdict(state.place)
        path = self.folder / f"update-{state.updates:09d}.epoch-{place['epoch']:05d}.safetensors"
        told = {"place": place, "updates": state.updates, "facts": state.facts}
        tensor_file.write(path, state.tensors, told)
        self.prune(self.keep)

    def prune(self, keep: int) -> None:
        """Removes all but the newest `keep`; of none, what lies beside them as well."""
        if keep == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        for path in self.paths()[: -keep or None]:
            path.unlink()

    def newest(self) -> State | None:
        """The newest one that is whole; None where there is none."""
        for path in reversed(self.paths()):
            try:
                tensors, told = tensor_file.read(path)
            except tensor_file.DamagedError as error:
                log.warning(f"{error}; the checkpoint before it is used")
                continue
            return State(Place(**told["place"]), told["updates"], tensors, told["facts"])
        return None

    def facts(self) -> list[dict]:
        """What each checkpoint keeps beside its tensors, the oldest first."""
        return [tensor_file.read_facts(path)["facts"] for path in self.paths()]

    def paths(self) -> list[pathlib.Path]:
        """The checkpoints' files, the oldest first."""
        named = re.compile(r"update-\d+\.epoch-\d+\.safetensors")
        there = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(path for path in there if named.fullmatch(path.name))
