"""A task's data as train, validation and test: tokenized once, drawn and limited by a seed."""

import contextlib
import functools
import logging
import os
import pathlib
import re
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data import folds, token_store
from ftkeras.data.examples import Examples
from ftkeras.data.sources.stream import user_error
from ftkeras.data.token_cache import Cache
from ftkeras.errors import UserError
from ftkeras.support import files

log = logging.getLogger(__name__)

SECONDS_TO_THE_NEXT_TRY = (1, 5)


@contextlib.contextmanager
def open_splits(config: Config, task, text_layer) -> Iterator["Splits"]:
    """The splits of a run; their token ids go when they are left, where --cache_dir keeps none."""
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
        yield Splits(config=config, task=task, text_layer=text_layer, folder=pathlib.Path(folder))


def cache_folder(config: Config) -> pathlib.Path | None:
    """Where token ids are kept from run to run, or None.

    Raises:
        UserError: the folder was asked for and can't be written.
    """
    if config.cache_dir == "none":
        return None
    if config.cache_dir is not None:
        return files.require_writable(config.cache_dir, "cache_dir")
    # The XDG Base Directory Specification: a relative path is not to be heeded.
    given = pathlib.Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = given if given.is_absolute() else pathlib.Path("~/.cache").expanduser()
    try:
        return files.require_writable(base / "ftkeras", "cache_dir")
    except UserError as error:
        log.info(f"note: no token ids are kept for the next run: {error}")
        return None


class Splits:
    """The three splits of a run, each tokenized when it is first asked for.

    Validation is the task's own or a stratified share of train; each split may be limited to a
    number of examples, drawn stratified too. Both depend on --data_seed alone, so runs that differ
    in anything else see the same examples. With --folds validation is one fold of the pool: train
    and the task's own validation together, limited by --train_examples.

    Args:
        config: the run's.
        task: gives the examples.
        text_layer: texts to token ids.
        folder: an existing folder for the token ids.
    """

    def __init__(self, *, config: Config, task, text_layer, folder: pathlib.Path):
        self.config, self.task, self.text_layer, self.folder = config, task, text_layer, folder
        self._datasets = task.splits()
        self._pooled = [name for name in ("train", "validation") if name in self._datasets]
        # A stand-in for a text layer may not be able to say what its ids hang on.
        kept = cache_folder(config) if hasattr(text_layer, "identity") else None
        self._cache = kept and Cache(kept / "token_ids", settings=text_layer.identity())

    @functools.cached_property
    def train(self) -> Examples:
        """What is trained on."""
        whole = self._everything if self.config.train_on_validation else self._parts[0]
        return self._checked(whole)

    @functools.cached_property
    def validation(self) -> Examples | None:
        """What picks the best epoch; None where it is trained on."""
        return None if self.config.train_on_validation else self._checked(self._parts[1])

    @functools.cached_property
    def _parts(self) -> tuple[Examples, Examples]:
        """Train and validation."""
        if self.config.folds:
            held_out = self._folds == self.config.fold
            return self._pool.select(~held_out, "train"), self._pool.select(held_out, "validation")
        train, (rows, held) = self._whole("train"), self._train_rows
        own = "validation" in self._datasets
        validation = self._whole("validation") if own else train.select(held, "validation")
        return self._limited(train.select(rows), "train"), self._limited(validation, "validation")

    @functools.cached_property
    def _everything(self) -> Examples:
        """Train and validation together, as many of each as there would be apart."""
        if self.config.folds:
            return self._pool.select(np.arange(len(self._pool)), "train")
        train, validation = self._parts
        behind = len(self._whole("train")) if "validation" in self._datasets else 0
        rows = np.concatenate([train.rows, behind + validation.rows])
        return self._pooled_whole.select(np.sort(rows), "train")

    @functools.cached_property
    def test(self) -> Examples:
        """What is looked at once, at the end."""
        return self._checked(self._limited(self._whole("test"), "test"))

    def texts(self, examples: Examples, positions: np.ndarray) -> list[dict[str, bytes]]:
        """The raw texts at rising positions of some examples: "text", for pairs "pair" too."""
        rows = examples.rows[positions]

        def wanted(row, _):
            return tf.reduce_any(row == rows)

        found = self._datasets[examples.source].enumerate().filter(wanted).take(len(rows))
        by_row = {int(row): one for row, one in found.as_numpy_iterator()}
        names = ("text", "pair") if self.task.pairs else ("text",)
        return [{name: by_row[int(row)][name] for name in names} for row in rows]

    def counts(self) -> dict[str, int]:
        """Examples of each split, and distinct texts of test that train or validation hold too."""
        seen = [part for part in (self.train, self.validation) if part is not None]
        counts = {examples.name: len(examples) for examples in seen}
        if not self.config.test:
            return counts
        digests = np.concatenate([examples.digests for examples in seen])
        shared = np.intersect1d(digests, self.test.digests)
        return {**counts, "test": len(self.test), "in_train_and_test": len(shared)}

    @functools.cached_property
    def _pool(self) -> Examples:
        """What folds are drawn from."""
        return self._limited(self._pooled_whole, "train")

    @functools.cached_property
    def _pooled_whole(self) -> Examples:
        """The task's train and its own validation, one behind the other."""
        name, *others = self._pooled
        if others:
            name, parts = "pool", [self._datasets[part] for part in self._pooled]
            self._datasets[name] = functools.reduce(tf.data.Dataset.concatenate, parts)
        return self._whole(name)

    @functools.cached_property
    def _folds(self) -> np.ndarray:
        """The fold of each example of the pool, int64 [examples]."""
        return folds.build_folds(self.config, self._pool, self._column)

    def _column(self, name: str) -> np.ndarray:
        """A column of the task's files, for each example of the pool."""
        if not hasattr(self.task, "column"):
            raise UserError(
                f"`group_by`: task={self.config.task} has no columns to group by; "
                "near_duplicates or none would do."
            )
        values = [value for split in self._pooled for value in self.task.column(split, name)]
        return np.array(values, dtype=object)[self._pool.rows]

    @functools.cache  # noqa: B019  a run has one of these objects
    def _whole(self, name: str) -> Examples:
        examples = self._read(name)
        if not len(examples):
            raise UserError(f"task={self.config.task}: the {name} split is empty.")
        return examples

    def _read(self, name: str) -> Examples:
        """The split's examples; a source that fails, as networks do, is read again."""
        waits = iter(SECONDS_TO_THE_NEXT_TRY)
        while True:
            try:
                return self._tokenized(self._datasets[name], name)
            except tf.errors.OpError as error:
                # What a source raised arrives wrapped by tf.data.
                if told := user_error(error):
                    raise told from error
                cause = re.sub(r"{{.*?}} *", "", error.message).strip().splitlines()[0]
                problem = f"--task={self.config.task}: the {name} split can't be read: {cause}"
                wait = next(waits, None)
                if wait is None:
                    raise UserError(problem) from error
            print(f"warning: {problem}; trying again in {wait} s", file=sys.stderr)
            time.sleep(wait)

    def _ids_of(self, texts, pairs=None):
        return self._traced(texts) if pairs is None else self._traced(texts, pairs)

    @functools.cached_property
    def _traced(self):
        """The text layer, traced once for all splits: AutoGraph would take a second for each."""
        specs = [tf.TensorSpec([None], tf.string)] * (2 if self.task.pairs else 1)
        return tf.function(self.text_layer, autograph=False).get_concrete_function(*specs)

    def _tokenized(self, dataset: tf.data.Dataset, name: str) -> Examples:
        about = {"name": name, "pairs": self.task.pairs}
        if self._cache is None:
            return token_store.write(dataset, self._ids_of, self.folder, **about)
        try:
            examples, was_there = self._cache.examples(dataset, self._ids_of, **about)
        except OSError as error:
            raise UserError(
                f"`cache_dir`: {self._cache.home} can't be written ({error.strerror}); another "
                "folder would do, or cache_dir=none."
            ) from error
        if was_there:
            log.info(f"{name}: {len(examples):,} texts, their token ids from the cache")
        return examples

    @functools.cached_property
    def _train_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the task's train split for training and for validation."""
        everything = self._whole("train")
        if "validation" in self._datasets:
            return np.arange(len(everything)), np.zeros(0, np.int64)
        share = self.config.validation_share
        size = round(share * len(everything))
        held = self._draw(everything.labels, size, f"--validation_share={share}")
        return np.setdiff1d(np.arange(len(everything)), held), held

    def _limited(self, examples: Examples, name: str) -> Examples:
        count = getattr(self.config, f"{name}_examples")
        if count is None or count >= len(examples):
            return examples
        return examples.select(self._draw(examples.labels, count, f"--{name}_examples={count}"))

    def _draw(self, labels: np.ndarray, size: int, flag: str) -> np.ndarray:
        classes = len(np.unique(labels))
        if size < classes:
            raise UserError(
                f"{flag} draws {size} of {len(labels)} examples, but there are {classes} classes."
            )
        return stratified(labels, size, seed=self.config.data_seed)

    def _checked(self, examples: Examples) -> Examples:
        classes = np.unique(examples.labels)
        if len(classes) < 2:
            only = self.task.labels[classes[0]]
            raise UserError(
                f"task={self.config.task}: all {len(examples)} examples of the {examples.name} "
                f"split are {only!r}; nothing can be learnt or measured from one class."
            )
        return examples


def stratified(labels: np.ndarray, size: int, *, seed: int) -> np.ndarray:
    """Positions of `size` examples, each class with its share of them, sorted.

    What the shares leave over goes to the classes with the largest remainders, and each class that
    there is gets one example at least.

    Args:
        labels: integer [examples].
        size: from the number of classes to the number of examples.
        seed: decides which examples of a class are drawn.

    >>> labels = np.array([0] * 6 + [1] * 3)
    >>> labels[stratified(labels, 3, seed=0)]
    array([0, 0, 1])
    """
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * size / len(labels)
    quotas = np.maximum(np.floor(exact).astype(int), 1)
    while quotas.sum() != size:
        step = 1 if quotas.sum() < size else -1
        open_to = (quotas < counts) if step > 0 else (quotas > 1)
        gap = np.where(open_to, step * (exact - quotas), -np.inf)
        quotas[gap.argmax()] += step
    drawn = [
        rng.choice(np.flatnonzero(labels == label), quota, replace=False)
        for label, quota in zip(classes, quotas, strict=True)
    ]
    return np.sort(np.concatenate(drawn))
