"""The part about the data: where they come from, what is in them, and how they were split."""

import hashlib
import pathlib
from typing import Any

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.data.groupings.near_duplicates import nearest_in
from ftkeras.dossiers import croissant
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import UNLABELLED, Subject
from ftkeras.errors import UserError
from ftkeras.figures.parts import Column, Facts, Missing, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.runs import inputs
from ftkeras.support import hashes, plurals

# What a person may state, and the attribute of a task that says the same.
KNOWN_TO_TASK = {"source": "homepage", "license": "license", "citation": "citation"}
STATED = ("name", "version", "collection", "time_span", "labeling", "cleaning", "gaps")
SETTINGS = (
    *("data_seed", "validation_share", "test_share", "folds", "group_by"),
    *("train_examples", "validation_examples", "test_examples"),
)
QUANTILES = {"shortest": 0, "median": 0.5, "95 %": 0.95, "longest": 1}
MOST_LABELS, MOST_FILES = 20, 200


def part(subject: Subject) -> Part:
    """Return the data card, and its Croissant metadata."""
    problems: list[Shown] = []
    listed = _files(subject, problems)
    splits, overlap = _measured(subject, problems)
    data: dict[str, Any] = {
        "source": _source(subject),
        "files": listed,
        "splits": splits,
        "overlap": overlap,
        "split_settings": {name: getattr(subject.config, name) for name in SETTINGS},
    }
    shown = [Facts(_facts(data)), *_tables(data), *problems]
    documents = {"croissant.json": croissant.describe(subject, data)}
    return Part("data", "Data", data, shown, documents)


def _source(subject: Subject) -> dict[str, Any]:
    """Return where the data come from; what a person states wins over what the task knows."""
    about, task = subject.about, subject.task
    source: dict[str, Any] = {"task": subject.config.task}
    for name, attribute in KNOWN_TO_TASK.items():
        source[name] = about.text(f"data.{name}") or getattr(task, attribute, None)
    language = getattr(task, "language", None)
    source["languages"] = about.statements.get("data.languages") or [language] * bool(language)
    source["hub"] = getattr(task, "hub_dataset", None)
    source |= {name: about.text(f"data.{name}") for name in STATED}
    return {name: value for name, value in source.items() if value}


def _files(subject: Subject, problems: list[Shown]) -> list[dict[str, Any]]:
    """Return each file with its size and SHA-256; add to `problems` why some are missing."""
    listed = []
    try:
        by_split = {} if subject.task is None else subject.task.files()
        listed += [_file(split, path) for split, paths in by_split.items() for path in paths]
    except (UserError, OSError) as error:
        problems.append(Missing("Files of the data", str(error)))
    else:
        if not listed:
            reason = subject.reason or "the task does not say which files it reads"
            problems.append(Missing("Files of the data", reason))
    try:
        paths = [path for name in subject.config.unlabelled for path in inputs.find(name)]
        return listed + [_file(UNLABELLED, path) for path in paths]
    except (UserError, OSError) as error:
        problems.append(Missing("Files without labels", str(error)))
        return listed


def _file(split: str, path: pathlib.Path) -> dict[str, Any]:
    return {
        "split": split,
        "path": str(path),
        "bytes": path.stat().st_size,
        "sha256": hashes.sha256(path),
    }


def _measured(
    subject: Subject, problems: list[Shown]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return figures of each split, and how many texts splits share."""
    counts, read = subject.view.metrics.get("data", {}), subject.view.metrics.get("read", {})
    splits = {
        name: {"examples": counts[name], **_labelled(read.get(name, {}), subject)}
        for name in ("train", "validation", "test", UNLABELLED)
        if name in counts
    }
    overlap = {"in_train_and_test": counts.get("in_train_and_test")}
    try:
        examples = subject.examples
    except UserError as error:
        problems.append(Missing("Lengths and near-duplicates", f"{str(error).rstrip('.')}."))
        return splits, {name: count for name, count in overlap.items() if count is not None}
    for name, part in examples.items():
        splits.setdefault(name, {"examples": len(part)})["tokens"] = _lengths(part)
        splits[name]["digest"] = digest(part)
    for name in ("validation", "test"):
        if name in examples:
            near = nearest_in(examples["train"], examples[name])[0]
            overlap[f"{name}_nearly_in_train"] = len(near)
    return splits, {name: count for name, count in overlap.items() if count is not None}


def digest(examples: Examples) -> str:
    """Return a SHA-256 of the texts of a split, whatever their order."""
    return hashlib.sha256(np.sort(examples.digests).astype("<u8").tobytes()).hexdigest()


def _labelled(figures: dict[str, Any], subject: Subject) -> dict[str, Any]:
    """Return the figures that the run recorded of a split, with labels by name."""
    labels, names = figures.get("labels"), subject.view.problem.names
    if not isinstance(labels, list) or len(labels) != len(names):
        return figures
    return {**figures, "labels": dict(zip(names, labels, strict=True))}


def _lengths(examples: Examples) -> dict[str, float]:
    lengths = examples.lengths
    ends = {name: int(np.quantile(lengths, at)) for name, at in QUANTILES.items()}
    return {**ends, "mean": float(lengths.mean())}


def _facts(data: dict[str, Any]) -> dict[str, str]:
    source = {
        name.replace("_", " ").capitalize(): ", ".join(v) if isinstance(v, list) else str(v)
        for name, v in data["source"].items()
    }
    settings = {name: v for name, v in data["split_settings"].items() if v is not None}
    source.setdefault("License", "unknown")
    source["Split by"] = ", ".join(f"{name} {value}" for name, value in settings.items())
    return source


def _tables(data: dict[str, Any]) -> list[Shown]:
    shown: list[Shown] = []
    if data["splits"]:
        shown += [_split_table(data["splits"]), *_overlap(data["overlap"])]
        if labels := _label_table(data["splits"]):
            shown.append(labels)
    if data["files"]:
        rows = [[f["split"], f["path"], f["bytes"], f["sha256"]] for f in data["files"]]
        more = len(rows) - MOST_FILES
        note = f"And {more:,} more, which are in data.json." if more > 0 else ""
        columns = ["split", "file", "bytes", "SHA-256"]
        shown.append(Table("data_files", "Files", columns, rows[:MOST_FILES], note))
    return shown


def _split_table(splits: dict[str, dict[str, Any]]) -> Table:
    names = ("duplicates", "contradictions", "empty", "full_length")
    lengths = (*QUANTILES, "mean")
    columns: list[str | Column] = [
        "split",
        "examples",
        Column("duplicates", help="texts that occurred before in the split"),
        Column("contradictions", help="texts that have more than one answer"),
        Column("empty", help="texts without a token"),
        Column("full length", help="texts with as many tokens as the model reads at most"),
        *(Column(f"tokens, {name}", "{:,.0f}") for name in lengths),
    ]
    rows = [
        [
            split,
            figures["examples"],
            *(figures.get(name) for name in names),
            *(figures.get("tokens", {}).get(name) for name in lengths),
        ]
        for split, figures in splits.items()
    ]
    return Table("data_splits", "Splits", columns, rows)


def _overlap(overlap: dict[str, Any]) -> list[Shown]:
    """Return a sentence about the texts that splits share."""
    are = ("is", "are")
    repeat = ("repeats", "repeat")
    said = {
        "in_train_and_test": ("of test {} also in train or validation", are),
        "validation_nearly_in_train": ("of validation nearly {} one of train", repeat),
        "test_nearly_in_train": ("of test nearly {} one of train", repeat),
    }
    shared = [
        plurals.counted(overlap[name], f"text {text.format(one)}", f"texts {text.format(several)}")
        for name, (text, (one, several)) in said.items()
        if name in overlap
    ]
    if not shared:
        return []
    level = "warning" if any(overlap.values()) else "good"
    return [Notice(f"{'; '.join(shared)}.", level)]


def _label_table(splits: dict[str, dict[str, Any]]) -> Table | None:
    recorded = {name: figures.get("labels") for name, figures in splits.items()}
    by_split = {name: counts for name, counts in recorded.items() if isinstance(counts, dict)}
    if not by_split:
        return None
    labels = list(dict.fromkeys(label for counts in by_split.values() for label in counts))
    rows = [[label, *(counts.get(label) for counts in by_split.values())] for label in labels]
    more = len(rows) - MOST_LABELS
    note = f"And {more:,} more labels, which are in data.json." if more > 0 else ""
    return Table("data_labels", "Labels", ["label", *by_split], rows[:MOST_LABELS], note)
