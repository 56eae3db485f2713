"""Read a server's statistics and a run's own answers in the same form."""

import itertools
import json
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.statistics import drift
from ftkeras.statistics.drift import Drift
from ftkeras.support import files

TITLES = {
    "confidence": "confidence",
    "tokens": "tokens of a text",
    "unknown_share": "share of unknown tokens",
}
# The fields that every line of a server's statistics has.
_FIELDS = {"start": str, "end": str, "version": int, "texts": int, "dropped": int}


@dataclass
class Observed:
    """Windows of a server's statistics, added up.

    Attributes:
        start, end: of the first and the last window, in ISO 8601.
        windows: how many there are.
        versions: of the model that answered.
        texts: that were answered.
        dropped: texts that the server had no time to count.
        several: whether a text may have several labels; None if answers are no labels.
        labels: how often each label, or the number of each option, was answered.
        histograms: the bounds and the counts of bins, by what is counted.
    """

    start: str
    end: str
    windows: int = 0
    versions: set[int] = field(default_factory=set)
    texts: int = 0
    dropped: int = 0
    several: bool | None = None
    labels: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, tuple[list[float], np.ndarray]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """A run's answers to a split.

    Attributes:
        texts: of the split.
        labels: how often each label, or the number of each option, is the answer.
        numbers: of each text, by what is measured.
    """

    texts: int
    labels: Counter[str]
    numbers: Mapping[str, np.ndarray]


def write_token_counts(run_dir: pathlib.Path, counts: Mapping[str, Any]) -> None:
    """Write how many tokens each text of each split has, and how many of them are unknown.

    Args:
        run_dir: the run's folder.
        counts: "tokens" and "unknown", integer [examples], by split, in the order of predictions.
    """
    written = {
        split: {name: np.asarray(values).tolist() for name, values in columns.items()}
        for split, columns in counts.items()
    }
    files.write_json(run_dir / layout.TOKEN_COUNTS, written)


def reference(run_dir: pathlib.Path, split: str) -> Reference:
    """Return a run's answers to a split, as its folder has them.

    Raises:
        UserError: if the folder is not that of an evaluated run.
    """
    path = run_dir / layout.PREDICTIONS[split]
    try:
        rows = files.read_json_lines(path)
        return _reference(rows, files.read_json(run_dir / layout.TOKEN_COUNTS).get(split))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise UserError(
            f"run_dir={run_dir} has no readable {path.name}, with which to compare; name the "
            "folder of a finished run, or evaluate it."
        ) from None


def _reference(rows: Sequence[Mapping[str, Any]], recorded: Mapping[str, Any] | None) -> Reference:
    """Return the statistics of predictions, and the counts of tokens recorded with them."""
    answers = [row.get("predicted") for row in rows]
    counts: Counter[str] = Counter()
    for answer in answers:
        given = answer if isinstance(answer, list) else [answer]
        # An integer is the number of the chosen option.
        counts.update(str(label) for label in given if isinstance(label, (str, int)))
    numbers = {}
    if all(isinstance(answer, (str, int)) for answer in answers):
        numbers["confidence"] = np.array([max(row["probabilities"]) for row in rows])
    if recorded and len(recorded["tokens"]) == len(rows):
        tokens, unknown = (np.array(recorded[name]) for name in ("tokens", "unknown"))
        numbers |= {"tokens": tokens, "unknown_share": unknown / np.maximum(tokens, 1)}
    return Reference(len(rows), counts, numbers)


def observed(path: pathlib.Path, *, version: int | None, last: int | None) -> Observed:
    """Add up the windows in a file that `serve --log_statistics` wrote.

    Args:
        path: the file.
        version: the only version of the model to count; None for all.
        last: how many of the newest windows to count; None for all.

    Raises:
        UserError: if the file can't be read, has another form, or no such window.
    """
    windows = [line for line in _read_windows(path) if version in (None, line["version"])]
    starts = set(sorted({line["start"] for line in windows})[-(last or 0) :])
    answered = [line for line in windows if line["start"] in starts and line["texts"]]
    if not answered:
        of = "" if version is None else f" of version {version}"
        raise UserError(f"statistics={path} has no window{of} in which a text was answered.")
    models = sorted({line["model"] for line in answered if "model" in line})
    if len(models) > 1:
        raise UserError(
            f"statistics={path} is of several models: {', '.join(models)}; keep the "
            "lines of one of them."
        )
    try:
        return _add_up(answered)
    except ValueError as error:
        raise UserError(f"statistics={path} can't be added up: {error}.") from None


def _read_windows(path: pathlib.Path) -> list[dict[str, Any]]:
    """Return the lines of a file that `serve --log_statistics` wrote.

    Raises:
        UserError: if the file can't be read, or a line is not a window of statistics.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"statistics={path} can't be read: {error.strerror}.") from None
    windows = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            windows.append(_parse_window(line))
        except ValueError as error:
            raise UserError(
                f"statistics={path} is not a file written by serve's `log_statistics`: line "
                f"{number} {error}; name the file that serve wrote, or remove the line if a power "
                "cut damaged it."
            ) from None
    return windows


def _parse_window(line: bytes) -> dict[str, Any]:
    """Return the window of statistics in a line.

    Raises:
        ValueError: with what is wrong with the line.
    """
    try:
        window = json.loads(line)
    except (ValueError, RecursionError):  # also if it is not UTF-8
        raise ValueError("is not JSON") from None
    if not isinstance(window, dict):
        raise ValueError("is not a JSON object")
    fields = _FIELDS | ({"several_labels": bool} if "labels" in window else {})
    fields |= {"model": str} if "model" in window else {}
    for name, kind in fields.items():
        if type(window.get(name)) is not kind or (kind is int and window[name] < 0):
            raise ValueError(f"has no {name}")
    labels = window.get("labels", {})
    if not isinstance(labels, dict) or not _are_counts([*labels.values()]):
        raise ValueError("has no counts of labels")
    for name in TITLES:
        if name in window and not _is_histogram(window[name]):
            raise ValueError(f"has no edges and counts of {name}")
    return window


def _is_histogram(value: Any) -> bool:
    """Return whether a value has ascending edges, and a count for each bin between them."""
    if not isinstance(value, dict):
        return False
    edges, counts = value.get("edges"), value.get("counts")
    if not isinstance(edges, list) or not isinstance(counts, list) or not _are_counts(counts):
        return False
    if len(edges) != len(counts) + 1:
        return False
    are_numbers = all(type(edge) in (int, float) for edge in edges)
    return are_numbers and all(low < high for low, high in itertools.pairwise(edges))


def _are_counts(values: Sequence[Any]) -> bool:
    return all(type(one) is int and one >= 0 for one in values)


def compare(run: Reference, seen: Observed, *, least: int) -> tuple[list[Drift], list[str]]:
    """Test everything that both have, and return also what is not compared, with the reason.

    Args:
        run: the reference.
        seen: what was observed.
        least: fewer texts than this in either are not tested.
    """
    tests, missing = [], []
    labels = sorted({*run.labels, *seen.labels})  # also those that only one of both has
    if seen.several is None or not labels:
        missing.append("labels: the answers are none")
    elif seen.several:
        tests += [_presence(run, seen, label, least) for label in labels]
    else:
        tests.append(drift.labels("labels", run.labels, seen.labels, least=least))
    for name, title in TITLES.items():
        if name in run.numbers and name in seen.histograms:
            edges, counts = seen.histograms[name]
            tests.append(drift.numbers(title, run.numbers[name], edges, counts, least=least))
        else:
            missing.append(f"{title}: {_why_missing(name, seen)}")
    return drift.adjusted(tests), missing


def _why_missing(name: str, seen: Observed) -> str:
    """Return why numbers that the run or the log lacks are not compared."""
    if name not in seen.histograms:
        return "not logged"
    if name == "confidence":  # no evaluation gives an answer that is no label a confidence
        return "the run's answers are no labels"
    return "the run has none; evaluate it again"


def _presence(run: Reference, seen: Observed, label: str, least: int) -> Drift:
    """Compare how often one of several labels is answered."""
    with_label = [
        {label: counts[label], f"not {label}": texts - counts[label]}
        for counts, texts in ((run.labels, run.texts), (seen.labels, seen.texts))
    ]
    return drift.labels(f"label {label}", *with_label, least=least)


def _add_up(lines: Sequence[Mapping[str, Any]]) -> Observed:
    """Return the sums over windows.

    Raises:
        ValueError: if the bins of histograms differ.
    """
    total = Observed(min(line["start"] for line in lines), max(line["end"] for line in lines))
    total.windows = len({line["start"] for line in lines})
    for line in lines:
        total.versions.add(line["version"])
        total.texts += line["texts"]
        total.dropped += line["dropped"]
        if "labels" in line:
            total.several = line["several_labels"]
            total.labels.update(line["labels"])
        for name in TITLES:
            if name in line:
                edges, counts = line[name]["edges"], np.array(line[name]["counts"])
                before = total.histograms.get(name, (edges, np.zeros_like(counts)))
                if before[0] != edges:
                    raise ValueError(f"the bins of {name} differ between its lines")
                total.histograms[name] = edges, before[1] + counts
    return total
