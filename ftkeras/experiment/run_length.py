"""Count the optimizer updates of a run without tokenizing its texts."""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.fields import AUTO
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import auto


def count_training_examples(config: Config) -> int:
    """Return the number of examples that a run trains on, before oversampling.

    With `train_examples`, no data are read: it is taken for the number.
    """
    examples = config.train_examples or _available(config)
    held_out = examples // config.folds if config.folds else 0
    return examples - held_out


def count_updates(config: Config, examples: int) -> int:
    """Return the number of optimizer updates of an epoch.

    Raises:
        UserError: if the batches are limited by tokens, so that the texts' lengths decide.
    """
    if config.batch_size is None or config.batch_tokens is not None:
        raise UserError(
            f"batch_tokens={config.batch_tokens}: the number of updates depends on the lengths of "
            "the texts, which are not read here; set `epochs`, and for plot `steps`."
        )
    return math.ceil(examples / config.batch_size)


def settle_epochs(config: auto.Configuration) -> auto.Configuration:
    """Return the configuration with a number of epochs in place of `auto`, as a run chooses it.

    The data are read for it, as they may have fewer than `train_examples`.

    Raises:
        UserError: if the batches are limited by tokens.
    """
    if config.epochs != AUTO:
        return config
    available = _available(config)
    examples = min(config.train_examples or available, available)
    within_data = dataclasses.replace(config, train_examples=examples)
    updates = count_updates(config, count_training_examples(within_data))
    return auto.settle_epochs(config, updates=updates)


def _available(config: Config) -> int:
    splits = catalog.build("task", config.task, data_dir=config.data_dir).splits()
    count = _count(splits["train"])
    shares = [] if "test" in splits else [config.test_share]
    if not config.folds and "validation" not in splits:
        shares.append(config.validation_share)
    left = count - sum(round(share * count) for share in shares)
    if config.folds and "validation" in splits:
        left += _count(splits["validation"])
    return left


def _count(examples: tf.data.Dataset) -> int:
    count = int(examples.cardinality())
    if count < 0:  # the length of a stream is known only at its end
        count = int(examples.reduce(np.int64(0), lambda total, _: total + 1))
    return count
