"""Choose the examples of train, validation and test."""

import contextlib
import functools
import logging
import pathlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.data import canaries, folds, leakage
from ftkeras.data.examples import Examples
from ftkeras.data.reading import SplitReader
from ftkeras.data.split_sizes import SplitSizes
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.text.layer import TextLayer

log = logging.getLogger(__name__)

# Numbers of the shares that `folds.hold_out_shares` holds out, in the order of its argument.
TEST_FOLD, VALIDATION_FOLD = 0, 1


@contextlib.contextmanager
def open_splits(
    config: Config,
    task: Task,
    text_layer: TextLayer,
    unlabelled: tf.data.Dataset | None = None,
) -> Iterator["Splits"]:
    """Yield the splits of a run; token ids that are not cached are deleted at the end.

    Args:
        config: the run's.
        task: provides the examples.
        text_layer: turns texts into token ids.
        unlabelled: further texts to train on, elements as those of the task; their answers are not
            read.

    Raises:
        UserError: if the data can't be read, or the token cache can't be written.
    """
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as name:
        folder = pathlib.Path(name)
        reader = SplitReader(
            config=config, task=task, text_layer=text_layer, folder=folder, unlabelled=unlabelled
        )
        yield Splits(config=config, task=task, reader=reader, folder=folder)


class Splits:
    """The three splits of a run, each tokenized when it is first used.

    Validation is the task's own or a stratified share of train. Each split may be limited to a
    stratified sample. Both depend on `data_seed` alone, so runs that differ in anything else use
    the same examples. If `train_examples` limits train, a held-out validation split shrinks in
    proportion, unless `validation_examples` says otherwise. With `folds`, validation is one fold of
    the pool, which is train and the task's own validation together, limited by `train_examples`.

    Args:
        config: the run's.
        task: provides the labels.
        reader: reads the task's splits.
        folder: an existing folder for temporary files, deleted with the splits.
    """

    def __init__(self, *, config: Config, task: Task, reader: SplitReader, folder: pathlib.Path):
        self.config, self.task, self.folder = config, task, folder
        self._reader, self._problem = reader, task.problem()
        self._sizes = SplitSizes(config, self._problem)
        self.raw_texts, self.column = reader.raw_texts, reader.column
        self.texts = reader.texts
        # Whether all of train may be trained on, as test is not a part of it.
        self._has_test = reader.has_test or not task.needs_test

    @functools.cached_property
    def train(self) -> Examples:
        """The examples to train on, and behind them the random texts that are planted, if any."""
        train = self._own_train
        if not self.config.canaries:
            return train
        made = canaries.planted(train.targets, **self._canary_settings)
        joined, before = self._reader.read_behind(train.source, made, "_and_canaries")
        log.info(
            f"canaries {self.config.canaries:,} random texts with random labels are planted in "
            f"{len(train):,} training examples"
        )
        return joined.select(np.concatenate([train.rows, np.arange(before, len(joined))]), "train")

    @functools.cached_property
    def validation(self) -> Examples | None:
        """The examples that select the best epoch; None if they are trained on."""
        return None if self.config.train_on_validation else self._check(self._parts[1])

    @functools.cached_property
    def test(self) -> Examples:
        """The examples to evaluate once, at the end."""
        if self._reader.has_test:
            return self._check(self._sizes.limit(self._reader.read("test"), "test"))
        if self._has_test:
            raise UserError(
                f"task={self.config.task}: there are no texts to test on; name them by "
                "`test_data`, or use `notest`."
            )
        held_out = self._reader.read("train").select(self._own_folds == TEST_FOLD, "test")
        return self._check(self._sizes.limit(held_out, "test"))

    @functools.cached_property
    def other_test(self) -> Examples:
        """The examples to evaluate a run on that was trained on other data: test, or all."""
        examples = self._reader.read("test" if self._reader.has_test else "train")
        return self._sizes.limit(examples.select(np.arange(len(examples)), "test"), "test")

    def with_unlabelled(self, train: Examples) -> Examples:
        """Return examples to train on, and behind them the unlabelled texts, if there are any.

        Args:
            train: `train`, or a view of the same texts.
        """
        if self.unlabelled is None:
            return train
        rows = np.concatenate([train.rows, self.unlabelled.rows])
        return replace(self.unlabelled, rows=rows, name=train.name)

    @property
    def unlabelled_rows(self) -> np.ndarray:
        """The stored texts of `with_unlabelled` that have no label, int64."""
        return np.zeros(0, np.int64) if self.unlabelled is None else self.unlabelled.rows

    @functools.cached_property
    def unlabelled(self) -> Examples | None:
        """The unlabelled texts that are trained on: those that neither test nor validation has.

        The store that they are a view of has those of `train` before them.
        """
        if not self._reader.has_unlabelled:
            return None
        joined, before = self._reader.read_with_unlabelled(self.train.source)
        unlabelled = joined.select(np.arange(before, len(joined)), "unlabelled")
        # Rounds of self-training are not tested, but what they learn is.
        guards_test = self.config.test or self.config.self_training is not None
        for part in (self.validation, self.test if guards_test else None):
            if part is not None:
                unlabelled = leakage.without_copies(unlabelled, part)
        if not len(unlabelled):
            raise UserError(
                f"unlabelled={', '.join(self.config.unlabelled)}: no text is left that is not in "
                "validation or test."
            )
        return unlabelled

    def canaries(self) -> tuple[Examples, Examples]:
        """Return the texts that are planted in train, and texts that could have been as well."""
        planted = self.train.select(np.arange(-self.config.canaries, 0), "canaries")
        made = canaries.candidates(self._own_train.targets, **self._canary_settings)
        return planted, self._reader.read_further("canary_candidates", made)

    def joined(self, first: Examples, second: Examples) -> Examples:
        """Return a view of some examples and, behind them, of others of any split."""
        rows = second.rows
        if second.source != first.source:
            suffix = f"_and_{second.source}"
            store, before = self._reader.read_behind(first.source, second.source, suffix)
            first, rows = replace(store, rows=first.rows), before + rows
        return replace(first, rows=np.concatenate([first.rows, rows]))

    def counts(self) -> dict[str, int]:
        """Return the size of each split, and how many distinct texts they share.

        "in_train_and_validation" counts those that both have, and "in_train_and_test" those of test
        that train or validation has.
        """
        parts = [part for part in (self.train, self.validation) if part is not None]
        counts = {examples.name: len(examples) for examples in parts}
        if self.unlabelled is not None:
            counts["unlabelled"] = len(self.unlabelled)
        digests = [examples.digests for examples in parts]
        if len(parts) > 1:
            counts["in_train_and_validation"] = len(np.intersect1d(digests[0], digests[1]))
        if not self.config.test:
            return counts
        shared = np.intersect1d(np.concatenate(digests), self.test.digests)
        return {**counts, "test": len(self.test), "in_train_and_test": len(shared)}

    def redacted(self, parts: Iterable[Examples | None] | None = None) -> dict[str, dict[str, int]]:
        """Return how many places of each kind are replaced in each split; {} if none are to be.

        Args:
            parts: the splits; by default those that the run uses.
        """
        if parts is None:
            parts = [self.train, self.validation, self.test if self.config.test else None]
        used = [part for part in parts if part is not None]
        counts = {part.name: self._reader.count_redacted(part) for part in used}
        return {name: count for name, count in counts.items() if count}

    @functools.cached_property
    def _own_train(self) -> Examples:
        examples = self._everything if self.config.train_on_validation else self._parts[0]
        return self._check(examples)

    @property
    def _canary_settings(self) -> dict:
        config = self.config
        return {"count": config.canaries, "seed": config.data_seed, "pairs": self.task.pairs}

    @functools.cached_property
    def _parts(self) -> tuple[Examples, Examples]:
        """Train and validation."""
        if self.config.folds:
            held_out = self._folds == self.config.fold
            return self._pool.select(~held_out, "train"), self._pool.select(held_out, "validation")
        train = self._without_copies_of_test(self._reader.read("train"))
        if not self._has_test:
            train = train.select(self._own_folds != TEST_FOLD)
        if self._reader.has_validation:
            validation = self._reader.read("validation")
        else:
            if self._has_test:
                kept, held_out = self._sizes.hold_out(train)
            else:
                held_out = self._own_folds[train.rows] == VALIDATION_FOLD
                kept = ~held_out
            train, validation = train.select(kept), train.select(held_out, "validation")
            validation = self._sizes.shrink(validation, train)
        return self._sizes.limit(train, "train"), self._sizes.limit(validation, "validation")

    def _without_copies_of_test(self, examples: Examples) -> Examples:
        """Leave out copies of test examples if the task guards its test split."""
        if not self.task.guards_test:
            return examples
        if not self._reader.has_test:
            log.info("leakage no texts of test are known, so none are left out; see `test_data`")
            return examples
        return leakage.without_copies(examples, self._reader.read("test"))

    @functools.cached_property
    def _everything(self) -> Examples:
        """Train and validation together, limited as they would be separately."""
        if self.config.folds:
            return self._pool.select(np.arange(len(self._pool)), "train")
        train, validation = self._parts
        # In the pool, the rows of the task's own validation follow those of train.
        before = len(self._reader.read("train")) if self._reader.has_validation else 0
        rows = np.concatenate([train.rows, before + validation.rows])
        return self._reader.read_pool().select(np.sort(rows), "train")

    @functools.cached_property
    def _pool(self) -> Examples:
        """The examples that are assigned to folds."""
        pool = self._without_copies_of_test(self._reader.read_pool())
        if not self._has_test:
            in_test = np.flatnonzero(self._own_folds == TEST_FOLD)
            pool = pool.select(np.setdiff1d(np.arange(len(pool)), in_test))
        return self._sizes.limit(pool, "train")

    @functools.cached_property
    def _own_folds(self) -> np.ndarray:
        """The share that holds out each example of train without test data, int64 [examples].

        Near-duplicates stay together, so that no text is trained on whose copy is held out.
        """
        train = self._reader.read("train")
        groups = catalog.build("group_by", folds.DEFAULT_GROUPING).groups(train, None)
        shares = [self.config.test_share]
        if not self._reader.has_validation:
            shares.append(self.config.validation_share)
        strata, seed = self._sizes.strata(train), self.config.data_seed
        return folds.hold_out_shares(strata, groups, shares, seed=seed)

    @functools.cached_property
    def _folds(self) -> np.ndarray:
        """The fold of each example of the pool, int64 [examples]."""
        return folds.build_folds(
            self.config,
            self._pool,
            self._sizes.strata(self._pool),
            lambda name: self._reader.pool_column(name)[self._pool.rows],
        )

    def _check(self, examples: Examples) -> Examples:
        """Return the examples; raise UserError if there are none, or all have the same answer."""
        if not len(examples):
            raise UserError(
                f"{self._data}: nothing is left for the {examples.name} split; there "
                "are too few texts, or most are near-duplicates, which stay together. Name a file "
                "for it: `validation_data` or `test_data`."
            )
        if shortcoming := self._problem.shortcoming(examples.targets):
            raise UserError(
                f"{self._data}: all examples of the {examples.name} split ({len(examples):,}) "
                f"{shortcoming}{self._remedy(examples.name)}."
            )
        return examples

    @property
    def _data(self) -> str:
        """The argument that has the examples, as a message names it."""
        is_own = "train" in catalog.parse("task", self.config.task).arguments
        return "`data`" if is_own else f"task={self.config.task}"

    def _remedy(self, split: str) -> str:
        """Return how a split that is held out gets other examples; '' of any other."""
        has_own = {"validation": self._reader.has_validation, "test": self._has_test}
        if self.config.folds or has_own.get(split, True):
            return ""
        share = f"{split}_share"
        return (
            f". Increase `{share}` (now {getattr(self.config, share)}), name `{split}_data`, or "
            "use `crossvalidate`"
        )
