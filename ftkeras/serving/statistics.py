"""Record statistics of a server's answers, without texts: labels, confidence and lengths.

One line of JSON for each version and window of time is added to a file. `drift` compares them with
the run that trained the model.
"""

import datetime
import errno
import json
import os
import pathlib
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ftkeras.serving.errors import RequestError

# The signature that counts the tokens of texts; see docs/serving.md.
TOKEN_COUNTS = "token_counts"
# Requests that wait to be counted. More are dropped, so that a busy server keeps its memory.
MOST_WAITING = 1000
# The bounds of histograms; all but the last bin exclude their right end.
CONFIDENCE = [*(n / 40 for n in range(40)), 0.99, 0.999, 1.0]
LENGTHS = sorted({float(round(2 ** (n / 4))) for n in range(4, 77)})  # 2 to 524,288 tokens
SHARES = [0.0, 1e-9, *(n / 100 for n in (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50)), 1.0]


class Statistics:
    """Count the answers of a server in windows of time, in a thread of its own.

    Args:
        path: the file to which lines are added.
        name: the model's name.
        seconds: the length of a window.
        report: called with a line if something can't be recorded.
    """

    def __init__(
        self, path: pathlib.Path, name: str, *, seconds: float, report: Callable[[str], None]
    ):
        self._path, self._name, self._report = path, name, report
        self._tallies: dict[int, Tally] = {}
        self._known: set[int] = set()
        self._start = _now()
        # Threads that answer requests change these two, under the lock.
        self._lock, self._waiting, self._dropped = threading.Lock(), 0, Counter()
        # One thread counts and writes, so that the tallies need no lock.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="statistics")
        self._stopped = threading.Event()
        self._timer = threading.Thread(target=self._tick, args=(seconds,), name="statistics-timer")
        self._timer.daemon = True
        self._timer.start()

    def record(self, model: Any, inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
        """Queue an answered request to be counted.

        Args:
            model: the version that answered.
            inputs: of the request.
            outputs: of the model.
        """
        with self._lock:
            if self._waiting >= MOST_WAITING:
                self._dropped[model.version] += len(next(iter(outputs.values())))
                return
            self._waiting += 1
        self._executor.submit(self._count, model, inputs, outputs)

    def close(self) -> None:
        """Write the last window once everything is counted."""
        self._stopped.set()
        self._timer.join()
        self._executor.submit(self._write)
        self._executor.shutdown()

    def _tick(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            self._executor.submit(self._write)

    def _count(self, model: Any, inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
        with self._lock:
            self._waiting -= 1
        try:
            self._report_missing(model, outputs)
            tally = self._tallies.setdefault(model.version, Tally())
            tally.add(outputs, _token_counts(model, inputs))
        except (RequestError, ValueError, KeyError, TypeError) as error:
            self._report(f"statistics: a request was not counted: {error}")

    def _report_missing(self, model: Any, outputs: dict[str, Any]) -> None:
        """Report once for each version what can't be counted."""
        if model.version in self._known:
            return
        self._known.add(model.version)
        missing = []
        if TOKEN_COUNTS not in model.signatures:
            missing.append(f"lengths and unknown tokens, as it has no signature {TOKEN_COUNTS}")
        if _labels(outputs) is None:
            missing.append("labels and confidence, as its answers are no labels")
        elif "score" not in outputs:
            missing.append("confidence, as its answers have none")
        for reason in missing:
            self._report(f"statistics: of version {model.version}, not counted: {reason}")

    def _write(self) -> None:
        """Add a line for each version that has answered since the last call."""
        tallies, start, end = self._tallies, self._start, _now()
        with self._lock:
            dropped, self._dropped = self._dropped, Counter()
        lines = []
        for version in sorted(tallies.keys() | dropped.keys()):
            about = {"start": start, "end": end, "model": self._name, "version": version}
            counts = tallies.get(version, Tally()).line()
            lines.append(json.dumps({**about, **counts, "dropped": dropped[version]}) + "\n")
        try:
            _append(self._path, "".join(lines))
        except OSError as error:
            with self._lock:
                self._dropped += dropped
            then = "lost" if self._stopped.is_set() else "kept for the next window"
            self._report(
                f"statistics: {self._path} can't be written: {error.strerror}; counts are {then}"
            )
        else:
            self._tallies, self._start = {}, end


class Tally:
    """The answers of one version in one window of time."""

    def __init__(self):
        self._texts, self._labels = 0, Counter()
        self._several: bool | None = None
        self._histograms: dict[str, tuple[list[float], np.ndarray]] = {}

    def add(self, outputs: dict[str, Any], counts: dict[str, np.ndarray] | None) -> None:
        """Count the answers to a request.

        Args:
            outputs: of the model; labels and their scores are counted.
            counts: "tokens" and "unknown" of each text; None if they are not known.
        """
        self._texts += len(next(iter(outputs.values())))
        labels = _labels(outputs)
        if labels is not None:
            self._several = "labels" in outputs
            self._labels.update(labels)
            if "score" in outputs:
                self._bin("confidence", CONFIDENCE, outputs["score"])
        if counts is not None:
            tokens = np.asarray(counts["tokens"])
            self._bin("tokens", LENGTHS, tokens)
            self._bin("unknown_share", SHARES, counts["unknown"] / np.maximum(tokens, 1))

    def line(self) -> dict[str, Any]:
        """Return the counts, JSON-serializable."""
        labels = {} if self._several is None else {"labels": dict(sorted(self._labels.items()))}
        histograms = {
            name: {"edges": edges, "counts": counts.tolist()}
            for name, (edges, counts) in self._histograms.items()
        }
        several = {} if self._several is None else {"several_labels": self._several}
        return {"texts": self._texts, **several, **labels, **histograms}

    def _bin(self, name: str, edges: list[float], values: np.ndarray) -> None:
        clipped = np.clip(np.asarray(values, float), edges[0], edges[-1])
        counts = np.histogram(clipped, edges)[0]
        before = self._histograms.get(name, (edges, np.zeros_like(counts)))[1]
        self._histograms[name] = edges, before + counts


def _labels(outputs: dict[str, Any]) -> list[str] | None:
    """Return all labels in a model's answers; None if its answers are no labels.

    The `label` of a question with options is the text of one, from the user, so the number of the
    option is counted instead.
    """
    if "options" in outputs:
        return [str(number) for number in np.asarray(outputs["answer"]).tolist()]
    name = next((name for name in ("label", "labels") if name in outputs), None)
    if name is None:
        return None
    return [label.decode() for label in np.asarray(outputs[name], object).ravel() if label]


def _token_counts(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """Return the tokens of texts; None if the model can't count them, or took something else."""
    signature = model.signatures.get(TOKEN_COUNTS)
    if signature is None or set(signature.inputs) != set(inputs):
        return None
    return model.run(TOKEN_COUNTS, inputs)


def _append(path: pathlib.Path, lines: str) -> None:
    """Append lines to a file, all or none; end a line first that was cut off, as by a power cut.

    Raises:
        OSError: if they can't be written.
    """
    content = (("\n" if _is_cut_off(path) else "") + lines).encode()
    with path.open("ab", buffering=0) as file:
        written = file.write(content)
        if written < len(content):
            file.truncate(file.tell() - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_cut_off(path: pathlib.Path) -> bool:
    """Return whether a file ends within a line; a pipe or an empty file does not."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
