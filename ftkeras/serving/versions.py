"""Keep versions of one model loaded; load new ones and unload old ones while requests run.

The newest version in the folder that can be loaded is served, and those that labels name. A new
version is loaded and warmed up before older ones are unloaded, each when its last request has been
answered.
"""

import contextlib
import gc
import os
import pathlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftkeras.serving.errors import RequestError, invalid_argument

LOADING, AVAILABLE, UNLOADING, END = "LOADING", "AVAILABLE", "UNLOADING", "END"


@dataclass
class _Version:
    """The state of one version.

    Attributes:
        state: One of TensorFlow Serving's states, above.
        model: The loaded model while the version is available.
        users: The number of requests that are using it.
        error: Why it could not be loaded.
        modified: A stamp of its files; a version that failed is tried again once one changes.
    """

    state: str = LOADING
    model: Any = None
    users: int = 0
    error: str = ""
    modified: int = 0


class Versions:
    """The versions of a model that are served.

    Args:
        name: The model's name, for messages.
        folder: Holds the versions.
        find: Return a file of each version by its number, given that folder; it is in the folder
            of the version, and complete when the others are.
        load: Return a ready model, given a version's folder.
        labels: Version numbers by label; they are served beside the newest.
        only: The only version to serve, instead of the newest; None for the newest.
        report: Called with a line about each version that is loaded, unloaded or fails.
    """

    def __init__(
        self,
        name: str,
        folder: pathlib.Path,
        find: Callable[[pathlib.Path], dict[int, pathlib.Path]],
        load: Callable[[pathlib.Path], Any],
        *,
        labels: dict[str, int] | None = None,
        only: int | None = None,
        report: Callable[[str], None] = lambda line: None,
    ):
        self.name, self.folder, self.labels = name, folder, labels or {}
        self._find_files, self._load = find, load
        self._only, self._report = only, report
        self._missing: dict[str, int] = {}
        self._versions: dict[int, _Version] = {}
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, seconds: float) -> None:
        """Refresh every so many seconds, in a thread."""
        self._thread = threading.Thread(
            target=self._watch, args=(seconds,), name="versions", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def refresh(self) -> None:
        """Look at the folder once: load the versions to serve, and unload all others."""
        files = self._find_files(self.folder)
        newest = self._load_newest(files)
        labelled = files.keys() & set(self.labels.values())
        for number in sorted(labelled, reverse=True):
            self._load_version(number, files[number])
        if newest is not None:
            for number in sorted(self._versions.keys() - labelled - {newest}):
                self._unload(number)
        self._report_missing(files)

    @contextlib.contextmanager
    def lease(self, version: int | None = None, label: str | None = None) -> Iterator[Any]:
        """Give a model to use; it is not unloaded during the `with` block.

        Args:
            version: Its number; None for the newest.
            label: Its label, instead of a number.

        Raises:
            RequestError: That version, or one with that label, is not available.
        """
        with self._changed:
            leased = self._find(self.labelled(label) if label is not None else version)
            leased.users += 1
        try:
            yield leased.model
        finally:
            with self._changed:
                leased.users -= 1
                self._changed.notify_all()

    def labelled(self, label: str) -> int:
        """Return the number of the version with a label.

        Raises:
            RequestError: There is no such label.
        """
        if label not in self.labels:
            raise invalid_argument(f"Unrecognized servable version label: {label}")
        return self.labels[label]

    def status(self, version: int | None = None) -> list[dict]:
        """Return the state of one version, or of all, newest first, as GetModelStatus does.

        Raises:
            RequestError: There is no such version.
        """
        with self._changed:
            if version is not None and version not in self._versions:
                raise RequestError(
                    "NOT_FOUND", f"Could not find version {version} of model {self.name}"
                )
            numbers = sorted(self._versions, reverse=True) if version is None else [version]
            return [_status(number, self._versions[number]) for number in numbers]

    def available(self) -> list[int]:
        """Return the numbers of the versions that can be used now, in ascending order."""
        with self._changed:
            return sorted(n for n, version in self._versions.items() if version.state == AVAILABLE)

    def _watch(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            try:
                self.refresh()
            except Exception as error:  # such as an unreachable folder; it may come back
                self._report(f"{self.folder}: {' '.join(str(error).split())}")

    def _load_newest(self, files: Mapping[int, pathlib.Path]) -> int | None:
        """Load the newest version that can be loaded, if it is not; return it, None if none can."""
        for number in sorted(files, reverse=True):
            if self._only in (None, number):
                self._load_version(number, files[number])
                if number in self.available():
                    return number
        return None

    def _report_missing(self, files: Mapping[int, pathlib.Path]) -> None:
        """Report once which labels have lost their version."""
        known = files.keys() | set(self.available())
        missing = {label: number for label, number in self.labels.items() if number not in known}
        for label in missing.keys() - self._missing.keys():
            self._report(f"label {label} has no version: {missing[label]} is not in {self.folder}")
        self._missing = missing

    def _find(self, number: int | None) -> _Version:
        ready = {n: one for n, one in self._versions.items() if one.state == AVAILABLE}
        if number is None and ready:
            return ready[max(ready)]
        if number in ready:
            return ready[number]
        wanted = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
        raise RequestError("NOT_FOUND", f"Servable not found for request: {wanted}")

    def _load_version(self, number: int, file: pathlib.Path) -> None:
        before = self._versions.get(number)
        if before and before.state == AVAILABLE:
            return
        modified = _stamp(file.parent)
        if before and before.error and before.modified == modified:
            return
        new = _Version(modified=modified)
        with self._changed:
            self._versions[number] = new
        start = time.monotonic()
        try:
            new.model = self._load(file.parent)
        except Exception as error:  # whatever it is: the other versions stay in service
            reason = " ".join(str(error).split())[:500]
            with self._changed:
                new.state, new.error = END, reason or type(error).__name__
            self._report(f"version {number} can't be loaded: {new.error}")
            return
        with self._changed:
            new.state = AVAILABLE
        self._report(f"version {number} is loaded, after {time.monotonic() - start:.1f} s")

    def _unload(self, number: int) -> None:
        old = self._versions[number]
        if old.state != AVAILABLE:
            return
        with self._changed:
            old.state = UNLOADING
            self._changed.wait_for(lambda: not old.users)
            old.model, old.state = None, END
        gc.collect()  # functions and their graphs refer to each other
        self._report(f"version {number} is unloaded")


def _stamp(folder: pathlib.Path) -> int:
    """Return a number that changes if a file of the folder is added, removed or changed."""
    found = set()
    for parent, folders, names in os.walk(folder):  # which skips folders that are just removed
        for path in (os.path.join(parent, name) for name in (*folders, *names)):
            with contextlib.suppress(FileNotFoundError):  # it was just removed, or links to nothing
                stat = os.stat(path)
                found.add((path, stat.st_size, stat.st_mtime_ns))
    return hash(frozenset(found))


def _status(number: int, version: _Version) -> dict:
    return {
        "version": str(number),
        "state": version.state,
        "status": {
            "error_code": "UNKNOWN" if version.error else "OK",
            "error_message": version.error,
        },
    }
