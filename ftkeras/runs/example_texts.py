"""The texts behind the ids of predictions, such as `test-17`: row 17, from 0, of the test split."""

import functools
from collections.abc import Iterable

import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config


def of_ids(config: Config, ids: Iterable[str]) -> dict[str, str]:
    """The text of each id, read from the task's data; of pairs both, a bar between.

    Args:
        config: of a run that wrote these ids.
        ids: split and row.

    Raises:
        UserError: the data can't be had any more.
    """
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    datasets, wanted = task.splits(), {}
    for one in ids:
        split, _, row = one.rpartition("-")
        wanted.setdefault(split, {})[int(row)] = one
    found = {}
    for split, rows in wanted.items():
        last = max(rows) + 1
        for row, example in enumerate(_source(config, datasets, split).take(last)):
            if row in rows:
                parts = [example[name].numpy() for name in ("text", "pair") if name in example]
                found[rows[row]] = " | ".join(part.decode(errors="replace") for part in parts)
    return found


def _source(config: Config, datasets: dict, split: str) -> tf.data.Dataset:
    """The dataset whose rows the ids of a split count."""
    if config.folds:
        pooled = [datasets[name] for name in ("train", "validation") if name in datasets]
        return functools.reduce(tf.data.Dataset.concatenate, pooled)
    return datasets[split] if split in datasets else datasets["train"]
