"""The versions of one model that are served; new ones come and old ones go while requests run.

The newest version in the folder is served, and those that labels name. A new one is loaded, warmed
up, and only then are the others let go: each when its last request has been answered.
"""

import contextlib
import gc
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ftkeras.serving.refused import Refused, invalid

LOADING, AVAILABLE, UNLOADING, END = "LOADING", "AVAILABLE", "UNLOADING", "END"


@dataclass
class _Version:
    """A version, and how far it has come."""

    state: str = LOADING
    model: object | None = None
    users: int = 0
    error: str = ""
    stamp: float = 0.0  # of the file that was loaded; another one is worth another try


class Versions:
    """What is served of `folder`.

    Args:
        name: the model's, which messages use.
        folder: its versions lie in it, each in a folder named by a number.
        load: a version's folder to a model that is ready.
        labels: names of versions, each kept beside the newest.
        only: the one version to serve, where it is not the newest.
        told: is given a line on each version that comes, goes or fails.
    """

    def __init__(
        self,
        name: str,
        folder: pathlib.Path,
        load: Callable[[pathlib.Path], object],
        *,
        labels: dict[str, int] | None = None,
        only: int | None = None,
        told: Callable[[str], None] = lambda line: None,
    ):
        self.name, self.folder, self.labels = name, folder, labels or {}
        self._load, self._only, self._told = load, only, told
        self._versions: dict[int, _Version] = {}
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, seconds: float) -> None:
        """Looks at the folder again and again, in a thread of its own."""
        self._thread = threading.Thread(target=self._watch, args=(seconds,), name="versions")
        self._thread.start()

    def close(self) -> None:
        """Looks no more."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def look(self) -> None:
        """Looks at the folder once: loads what should be served, and lets go what should not."""
        wanted = self._wanted()
        for number in sorted(wanted, reverse=True):
            self._bring(number)
        # Where the newest would not load, those that are there stay.
        if wanted and self._is_available(max(wanted)):
            for number in [n for n in list(self._versions) if n not in wanted]:
                self._let_go(number)

    @contextlib.contextmanager
    def lease(self, version: int | None = None, label: str | None = None) -> Iterator:
        """A model to use, which is not let go as long as it is used.

        Raises:
            Refused: where that version, or one of that label, is not available.
        """
        with self._changed:
            held = self._find(self.number(label) if label is not None else version)
            held.users += 1
        try:
            yield held.model
        finally:
            with self._changed:
                held.users -= 1
                self._changed.notify_all()

    def number(self, label: str) -> int:
        """The version that a label names."""
        if label not in self.labels:
            raise invalid(f"Unrecognized servable version label: {label}")
        return self.labels[label]

    def status(self, version: int | None = None) -> list[dict]:
        """States, the newest version first, as GetModelStatus has them; of one version or all."""
        with self._changed:
            if version is not None and version not in self._versions:
                raise Refused("NOT_FOUND", f"Could not find version {version} of model {self.name}")
            numbers = sorted(self._versions, reverse=True) if version is None else [version]
            return [_status(number, self._versions[number]) for number in numbers]

    def available(self) -> list[int]:
        """The versions that can be used now, rising."""
        with self._changed:
            return sorted(n for n, held in self._versions.items() if held.state == AVAILABLE)

    def _watch(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            try:
                self.look()
            except Exception as error:  # a folder out of reach must not end the watch
                self._told(f"{self.folder}: {' '.join(str(error).split())}")

    def _wanted(self) -> set[int]:
        there = {int(p.name) for p in self.folder.iterdir() if _is_version(p)}
        if self._only is not None:
            return there & {self._only}
        return {max(there)} | (there & set(self.labels.values())) if there else set()

    def _find(self, number: int | None) -> _Version:
        ready = {n: held for n, held in self._versions.items() if held.state == AVAILABLE}
        if number is None and ready:
            return ready[max(ready)]
        if number in ready:
            return ready[number]
        asked = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
        raise Refused("NOT_FOUND", f"Servable not found for request: {asked}")

    def _is_available(self, number: int) -> bool:
        return number in self.available()

    def _bring(self, number: int) -> None:
        folder, held = self.folder / str(number), self._versions.get(number)
        stamp = (folder / "saved_model.pb").stat().st_mtime
        if held and (held.state == AVAILABLE or (held.error and held.stamp == stamp)):
            return
        new = _Version(stamp=stamp)
        with self._changed:
            self._versions[number] = new
        began = time.monotonic()
        try:
            new.model = self._load(folder)
        except Exception as error:
            reason = " ".join(str(error).split())[:500]
            with self._changed:
                new.state, new.error = END, reason or type(error).__name__
            self._told(f"version {number} can't be loaded: {new.error}")
            return
        with self._changed:
            new.state = AVAILABLE
        self._told(f"version {number} is there, in {time.monotonic() - began:.1f} s")

    def _let_go(self, number: int) -> None:
        held = self._versions[number]
        if held.state != AVAILABLE:
            return
        with self._changed:
            held.state = UNLOADING
            self._changed.wait_for(lambda: not held.users)
            held.model, held.state = None, END
        gc.collect()  # functions and their graphs refer to each other
        self._told(f"version {number} is gone")


def _is_version(folder: pathlib.Path) -> bool:
    return folder.name.isdecimal() and (folder / "saved_model.pb").is_file()


def _status(number: int, held: _Version) -> dict:
    return {
        "version": str(number),
        "state": held.state,
        "status": {
            "error_code": "UNKNOWN" if held.error else "OK",
            "error_message": held.error,
        },
    }
