"""Read the splits of a task: tokenize each once, use the token cache, retry failing sources."""

import collections
import dataclasses
import functools
import logging
import pathlib
import re
import time
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.config import combinations
from ftkeras.config.run import Config
from ftkeras.data import pieces, redacted_answers, token_cache, token_store
from ftkeras.data.examples import Examples
from ftkeras.data.redacted_answers import RedactedAnswers
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.support import plurals
from ftkeras.support.cached_methods import cached_method
from ftkeras.text import redactions
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.windows import Windows

log = logging.getLogger(__name__)

# Networks fail for a moment: how long to wait before each further attempt to read a split.
SECONDS_BEFORE_RETRY = (1, 5)
# Texts that are read together.
TEXTS_AT_ONCE = 1024
# The name of train and the task's own validation, joined in this order.
POOL = "pool"
# The suffix of the name of a split that is joined with the unlabelled texts.
AND_UNLABELLED = "_and_unlabelled"


class SplitReader:
    """The splits of a task as token ids on disk.

    Args:
        config: the run's; uses `task` and `cache_dir`.
        task: provides the examples.
        text_layer: turns texts into token ids. Its `identity` is needed only for the token cache.
        folder: an existing folder for the token ids that are not cached.
        unlabelled: further texts to train on; see `open_splits`.

    Attributes:
        has_validation: whether the task has a validation split of its own.
        has_test: whether it has a test split of its own.
        has_unlabelled: whether there are further texts to train on.

    Raises:
        UserError: if the task's data can't be found, or the cache can't be written.
    """

    def __init__(
        self,
        *,
        config: Config,
        task: Task,
        text_layer: TextLayer,
        folder: pathlib.Path,
        unlabelled: tf.data.Dataset | None = None,
    ):
        self._config, self._task, self._text_layer, self._folder = config, task, text_layer, folder
        self._datasets = task.splits()
        self.has_validation = "validation" in self._datasets
        self.has_test = "test" in self._datasets
        if self.has_validation:
            train, validation = self._datasets["train"], self._datasets["validation"]
            self._datasets[POOL] = train.concatenate(validation)
        self.has_unlabelled = unlabelled is not None
        self._unlabelled = unlabelled
        self._cache = token_cache.open_cache(config, text_layer)
        problem, self._answers = task.problem_class, None
        if problem.reads in redacted_answers.TEXTS and text_layer.redaction is not None:
            self._answers = RedactedAnswers(problem, text_layer.redaction)

    @cached_method
    def read(self, name: str) -> Examples:
        """Return all examples of "train", "validation" or "test".

        Raises:
            UserError: if the split is empty or can't be read.
        """
        examples = self._tokenize_with_retries(name)
        if not len(examples):
            raise UserError(f"task={self._config.task}: the {name} split is empty.")
        reads = self._task.problem_class.reads
        if reads == "contexts":
            return self._with_window_targets(examples)
        if reads == "words":
            return self._with_token_targets(examples)
        if reads == "tokens":
            return dataclasses.replace(examples, token_targets=examples.token_ids)
        if not combinations.cuts_windows(self._config):
            return examples
        truncation = self._text_layer.truncation
        assert examples.windows is not None
        assert isinstance(truncation, Windows)
        windows = dataclasses.replace(examples.windows, combine=truncation.combine_outputs)
        return dataclasses.replace(examples, windows=windows)

    def read_behind(
        self, name: str, further: tf.data.Dataset | str, suffix: str
    ) -> tuple[Examples, int]:
        """Return a split with further examples behind it, and how many examples the split has.

        Args:
            name: of what this reader has read.
            further: elements as those of the task; or the name of another split.
            suffix: what the name of the result has after that of the split.
        """
        behind = self._datasets[further] if isinstance(further, str) else further
        self._datasets.setdefault(name + suffix, self._datasets[name].concatenate(behind))
        return self.read(name + suffix), len(self.read(name))

    def read_further(self, name: str, examples: tf.data.Dataset) -> Examples:
        """Return examples that the task does not have, under a name of their own.

        Args:
            name: unlike those of the task's splits.
            examples: elements as those of the task.
        """
        self._datasets.setdefault(name, examples)
        return self.read(name)

    def read_pool(self) -> Examples:
        """Return all examples of train and of the task's own validation, in this order."""
        return self.read(POOL if self.has_validation else "train")

    def read_with_unlabelled(self, name: str) -> tuple[Examples, int]:
        """Return a split and the unlabelled texts behind it, and how many examples the split has.

        Args:
            name: train or pool.
        """
        assert self._unlabelled is not None
        return self.read_behind(name, self._unlabelled, AND_UNLABELLED)

    def pool_column(self, name: str) -> np.ndarray:
        """Return the values of a column of the task's files, one for each example of the pool.

        Raises:
            UserError: if there is no such column, or a row has no value in it.
        """
        return np.array(self._column(POOL, name), dtype=object)

    def column(self, examples: Examples, name: str) -> list[str]:
        """Return the values of a column of the task's files for some examples; "" if missing.

        Args:
            examples: a view of what this reader has read.
            name: of the column.

        Raises:
            UserError: if there is no such column.
        """
        values = self._column(examples.source, name, missing="")
        return [values[row] for row in examples.rows]

    def _column(self, source: str, name: str, **missing: str) -> list[str]:
        """Return the values of a column for all rows of a split, or of the pool."""
        pooled = ("train", "validation") if self.has_validation else ("train",)
        splits = pooled if source == POOL else (source,)
        return [v for split in splits for v in self._task.column(split, name, **missing)]

    def texts(self, source: str) -> tf.data.Dataset:
        """Return the texts of a split, redacted: {"text"} and, for pairs, {"text", "pair"}.

        Args:
            source: of examples that this reader has read.
        """
        names = ("text", "pair") if self._task.pairs else ("text",)
        redacted = self._text_layer.redacted
        return self._datasets[source].map(
            lambda example: {name: redacted(example[name]) for name in names}
        )

    def raw_texts(self, examples: Examples, positions: np.ndarray) -> list[dict[str, bytes]]:
        """Return the texts of some examples, redacted: {"text"} and, for pairs, {"text", "pair"}.

        Args:
            examples: a view of what this reader has read.
            positions: integer [n], in ascending order.
        """
        rows = examples.rows[positions]
        by_row = {}
        # In batches, because each step of the iterator takes half a millisecond.
        batches = self._rows_of(self.texts(examples.source), rows).batch(TEXTS_AT_ONCE)
        for numbers, batch in batches.as_numpy_iterator():
            for row, *values in zip(numbers.tolist(), *batch.values(), strict=True):
                by_row[row] = dict(zip(batch, values, strict=True))
        return [by_row[row] for row in rows.tolist()]

    def count_redacted(self, examples: Examples) -> dict[str, int]:
        """Return the number of replacements of each kind in the texts of some examples.

        Args:
            examples: a view of what this reader has read.
        """
        redaction = self._text_layer.redaction
        if redaction is None:
            return {}
        names = ("text", "pair") if self._task.pairs else ("text",)
        counts = collections.Counter()
        for _, batch in self._rows_of(self._datasets[examples.source], examples.rows).batch(
            TEXTS_AT_ONCE
        ):
            for name in names:
                counts.update(redactions.count(redaction, batch[name]))
        return dict(counts)

    def _rows_of(self, dataset: tf.data.Dataset, rows: np.ndarray) -> tf.data.Dataset:
        """Return the chosen elements of a dataset, each behind its number, in their order."""
        chosen = np.zeros(rows.max(initial=-1) + 1, bool)
        chosen[rows] = True

        def is_wanted(row: tf.Tensor, _: dict) -> tf.Tensor:
            within = tf.math.floormod(row, len(chosen))
            return tf.logical_and(row < len(chosen), tf.gather(chosen, within))

        numbered: Any = dataset.enumerate()  # its annotations do not know that pairs are unpacked
        return numbered.filter(is_wanted).take(chosen.sum())

    def _tokenize_with_retries(self, name: str) -> Examples:
        waits = iter(SECONDS_BEFORE_RETRY)
        while True:
            try:
                with reraise_user_errors():
                    return self._tokenize_split(name)
            except tf.errors.OpError as error:
                cause = re.sub(r"{{.*?}} *", "", error.message).strip().splitlines()[0]
                wait = next(waits, None)
                if wait is None:
                    raise UserError(
                        f"task={self._config.task}: the {name} split can't be read: {cause}"
                    ) from error
            message = "task=%s: the %s split can't be read: %s; trying again in %s s"
            log.warning(message, self._config.task, name, cause, wait)
            time.sleep(wait)

    def _tokenize_split(self, name: str) -> Examples:
        """Return a split's examples; move answers to their positions in redacted texts."""
        if self._answers is None:
            return self._tokenize(self._datasets[name], name)
        before = len(self._answers.left_out)
        examples = self._tokenize(self._answers.move(self._datasets[name]), name)
        if texts := len(self._answers.left_out) - before:
            counted = plurals.counted(texts, "text", "texts")
            log.warning(
                f"{name}: in {counted}, an entity shares a redacted place with the one before it, "
                "and is left out"
            )
        return examples

    def _tokenize(self, dataset: tf.data.Dataset, name: str) -> Examples:
        """Return the examples of a dataset, from the token cache if it has them."""
        settings = {
            "name": name,
            "pairs": self._task.pairs,
            "reads": self._task.problem_class.reads,
            "windows": combinations.cuts_windows(self._config),
        }
        if self._cache is None:
            return token_store.write(dataset, self._token_ids, self._folder, **settings)
        try:
            examples, was_cached = self._cache.examples(dataset, self._token_ids, **settings)
        except OSError as error:
            raise UserError(
                f"`cache_dir`: {self._cache.home} can't be written ({error.strerror or error}); "
                "use another folder or cache_dir=none."
            ) from error
        if was_cached:
            texts = plurals.counted(len(examples), "text", "texts")
            log.info(f"{name}: token ids of {texts} from the cache{self._held_out(name)}")
        return examples

    def _held_out(self, name: str) -> str:
        """Return the end of a message, with the splits that are held out of `name`; or ""."""
        own = {
            "validation": self.has_validation,
            "test": self.has_test or not self._task.needs_test,
        }
        held_out = [split for split, is_own in own.items() if not is_own]
        if name != "train" or not held_out:
            return ""
        return f", those of {' and '.join(held_out)} among them"

    def _token_ids(
        self, texts: tf.Tensor, pairs: tf.Tensor | None = None
    ) -> dict[str, tf.RaggedTensor]:
        return self._traced_layer(texts) if pairs is None else self._traced_layer(texts, pairs)

    def _with_token_targets(self, examples: Examples) -> Examples:
        """Return the examples with the target of each token."""
        assert examples.word_starts is not None
        answers = self._task.problem().token_targets(examples.targets, examples.words())
        texts = np.repeat(np.arange(len(examples)), examples.lengths)
        targets = pieces.spread(answers, examples.word_starts, texts)
        return dataclasses.replace(examples, token_targets=targets)

    def _with_window_targets(self, examples: Examples) -> Examples:
        """Return the examples with the targets of their windows."""
        assert examples.windows is not None
        nothing = np.zeros((len(examples.token_ids), 0), np.float32)
        outputs = examples.context_outputs(nothing)
        targets = self._task.problem().window_targets(examples.targets, outputs)
        windows = dataclasses.replace(examples.windows, targets=targets)
        return dataclasses.replace(examples, windows=windows)

    @functools.cached_property
    def _traced_layer(self) -> tf.types.experimental.ConcreteFunction:
        """The text layer, traced once for all splits: AutoGraph would take a second for each."""
        specs = [tf.TensorSpec([None], tf.string)] * (2 if self._task.pairs else 1)
        return tf.function(self._text_layer, autograph=False).get_concrete_function(*specs)
