"""Find the texts of predictions by their ids, such as `test-17`: row 17, from 0, of test."""

import functools
import itertools
import math
import pathlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.text import redactions


def read(config: Config, ids: Iterable[str], *, redacted: bool = False) -> dict[str, str]:
    """Return the text of each id, read from the task's data; of pairs, both joined by " | ".

    Args:
        config: of a run that wrote these ids.
        ids: split and row, such as `test-17`.
        redacted: whether to replace what the run replaced in them, if it did.

    Raises:
        UserError: the data is no longer available.
    """
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    redaction = None
    if redacted and config.redact not in (None, "none"):
        redaction = catalog.build("redact", config.redact)
    datasets, wanted = task.splits(), {}
    for example_id in ids:
        split, _, row = example_id.rpartition("-")
        wanted.setdefault(split, {})[int(row)] = example_id
    texts = {}
    for split, rows in wanted.items():
        last = max(rows) + 1
        for row, example in enumerate(_dataset(config, datasets, split).take(last)):
            if row in rows:
                parts: list[Any] = [example[name] for name in ("text", "pair") if name in example]
                if redaction is not None:
                    parts = [redactions.replace(redaction, part) for part in parts]
                texts[rows[row]] = " | ".join(p.numpy().decode(errors="replace") for p in parts)
    return texts


def files(config: Config) -> list[pathlib.Path]:
    """Return the files that the task's data are read from; none if they are not known."""
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    return [path for paths in task.files().values() for path in paths]


class Place(NamedTuple):
    """The place of an example: its file, or split; its line there, from 1; and the row's values."""

    file: str
    line: int
    row: tuple[Any, ...]


def places(config: Config, ids: Iterable[str]) -> tuple[tuple[str, ...], dict[str, Place]] | None:
    """Return the columns of the user's files, and where each example of a pool of folds is.

    Args:
        config: of a cross-validation that wrote these ids.
        ids: of examples, such as `validation-17`.

    Returns:
        None if the examples do not come from tables.

    Raises:
        UserError: the data is no longer available.
    """
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    located_splits = [task.located_rows(n) for n in ("train", "validation") if n in task.splits()]
    if None in located_splits:
        return None
    wanted = {int(one.rpartition("-")[2]): one for one in ids}
    columns = located_splits[0][0]
    rows = (
        Place(file, line, tuple(row[names.index(name)] for name in columns))
        if names != columns
        else Place(file, line, row)
        for names, located in located_splits
        for file, line, row in located
    )
    kept = itertools.islice(enumerate(rows), max(wanted, default=-1) + 1)
    return columns, {wanted[number]: row for number, row in kept if number in wanted}


def split_and_row(config: Config, ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return the split of each example of a pool of folds, and its row there, from 0.

    Args:
        config: of a cross-validation that wrote these ids.
        ids: of examples, such as `validation-17`.
    """
    splits = catalog.build("task", config.task, data_dir=config.data_dir).splits()
    train = int(splits["train"].cardinality()) if "validation" in splits else math.inf
    numbers = {one: int(one.rpartition("-")[2]) for one in ids}
    return {
        one: ("train", number) if number < train else ("validation", int(number - train))
        for one, number in numbers.items()
    }


def _dataset(config: Config, datasets: dict, split: str) -> tf.data.Dataset:
    """Return the dataset whose rows the ids of a split count."""
    if config.folds:
        pooled = [datasets[name] for name in ("train", "validation") if name in datasets]
        return functools.reduce(tf.data.Dataset.concatenate, pooled)
    return datasets[split] if split in datasets else datasets["train"]
