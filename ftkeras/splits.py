"""A task's data as train, validation and test: tokenized once, drawn and limited by a seed."""

import contextlib
import functools
import pathlib
import tempfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from ftkeras.batching import _store
from ftkeras.batching._store import Examples
from ftkeras.config import Config
from ftkeras.errors import UserError
from ftkeras.sources._stream import user_error


@contextlib.contextmanager
def opened(config: Config, task, text_layer) -> Iterator["Splits"]:
    """The splits of a run, their token ids in a folder that goes when they are left."""
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
        yield Splits(config=config, task=task, text_layer=text_layer, folder=pathlib.Path(folder))


class Splits:
    """The three splits of a run, each tokenized when it is first asked for.

    Validation is the task's own or a stratified share of train; each split may be limited to a
    number of examples, drawn stratified too. Both depend on --data_seed alone, so runs that differ
    in anything else see the same examples.

    Args:
        config: the run's.
        task: gives the examples.
        text_layer: texts to token ids.
        folder: an existing folder for the token ids.
    """

    def __init__(self, *, config: Config, task, text_layer, folder: pathlib.Path):
        self.config, self.task, self.text_layer, self.folder = config, task, text_layer, folder
        self._datasets = task.splits()

    @functools.cached_property
    def train(self) -> Examples:
        """What is trained on."""
        rows = self._train_rows[0]
        return self._checked(self._limited(self._whole("train").of(rows), "train"))

    @functools.cached_property
    def validation(self) -> Examples:
        """What picks the best epoch."""
        if "validation" in self._datasets:
            examples = self._whole("validation")
        else:
            examples = self._whole("train").of(self._train_rows[1], "validation")
        return self._checked(self._limited(examples, "validation"))

    @functools.cached_property
    def test(self) -> Examples:
        """What is looked at once, at the end."""
        return self._checked(self._limited(self._whole("test"), "test"))

    def in_train_and_test(self) -> int:
        """Distinct texts that stand in the test split and in what train and validation are from."""
        seen = [self.train, self.validation]
        digests = np.concatenate([examples.digests[examples.rows] for examples in seen])
        return len(np.intersect1d(digests, self.test.digests[self.test.rows]))

    @functools.cache  # noqa: B019  a run has one of these objects
    def _whole(self, name: str) -> Examples:
        dataset = self._datasets[name]
        try:
            examples = _store.write(
                dataset, self.text_layer, self.folder, name=name, pairs=self.task.pairs
            )
        except tf.errors.OpError as error:
            # What a source raised arrives wrapped by tf.data.
            raise (user_error(error) or error) from error
        if not len(examples):
            raise UserError(f"--task={self.config.task}: the {name} split is empty.")
        return examples

    @functools.cached_property
    def _train_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the task's train split for training and for validation."""
        everything = self._whole("train")
        if "validation" in self._datasets:
            return np.arange(len(everything)), np.zeros(0, np.int64)
        share = self.config.validation_share
        held = self._draw(everything.own_labels, share, f"--validation_share={share}")
        return np.setdiff1d(np.arange(len(everything)), held), held

    def _limited(self, examples: Examples, name: str) -> Examples:
        count = getattr(self.config, f"{name}_examples")
        if count is None or count >= len(examples):
            return examples
        return examples.of(self._draw(examples.own_labels, count, f"--{name}_examples={count}"))

    def _draw(self, labels: np.ndarray, size: float | int, flag: str) -> np.ndarray:
        from sklearn.model_selection import train_test_split

        try:
            drawn, _ = train_test_split(
                np.arange(len(labels)),
                train_size=size,
                stratify=labels,
                random_state=self.config.data_seed,
            )
        except ValueError as error:
            raise UserError(f"{flag} can't be drawn from {len(labels)} examples: {error}") from None
        return np.sort(drawn)

    def _checked(self, examples: Examples) -> Examples:
        classes = np.unique(examples.own_labels)
        if len(classes) < 2:
            only = self.task.labels[classes[0]]
            raise UserError(
                f"--task={self.config.task}: all {len(examples)} examples of the {examples.name} "
                f"split are {only!r}; nothing can be learnt or measured from one class."
            )
        return examples
