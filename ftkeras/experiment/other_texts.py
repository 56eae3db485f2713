"""Tokenize texts that are not in a run's data, with the answers of examples that are."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf

from ftkeras.data.examples import Examples
from ftkeras.data.reading import SplitReader
from ftkeras.data.tables.texts import encode
from ftkeras.data.task import Task
from ftkeras.experiment.definition import Experiment


def tokenize(
    experiment: Experiment,
    texts: Sequence[Mapping[str, str]],
    targets: np.ndarray,
    folder: pathlib.Path,
) -> Examples:
    """Return the texts as examples.

    Args:
        experiment: whose text layer reads the texts. Its problem answers texts, not their words.
        texts: each {"text"}, or {"text", "pair"} if the run has pairs.
        targets: the answer to each, as the problem stores it, [texts, …].
        folder: an existing folder for the token ids.

    Raises:
        UserError: if there is no text.
    """
    names = ("text", "pair") if experiment.pairs else ("text",)
    columns: Any = {name: [encode(text[name]) for text in texts] for name in names}
    columns["label"] = targets
    dataset = tf.data.Dataset.from_tensor_slices(columns)
    reader = SplitReader(
        config=dataclasses.replace(experiment.config, cache_dir="none"),
        task=cast(Task, _TaskOnDataset(experiment.task, dataset)),
        text_layer=experiment.text_layer,
        folder=folder,
    )
    return reader.read("test")


class _TaskOnDataset:
    """A task with another one's attributes, whose only split is a dataset."""

    def __init__(self, task: Any, dataset: tf.data.Dataset):
        self._task, self._dataset = task, dataset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def splits(self) -> dict[str, tf.data.Dataset]:
        return {"test": self._dataset}
