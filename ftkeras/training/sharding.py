"""Split a dataset over replicas: each replica gets its own elements."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Sharded:
    """A dataset that is split over a strategy's replicas.

    Attributes:
        dataset: yields one element for each local replica and step, as `model.fit` expects.
        steps: number of steps.
    """

    dataset: tf.data.Dataset
    steps: int


def shard(
    strategy: tf.distribute.Strategy, make_dataset: Callable[..., tf.data.Dataset]
) -> Sharded:
    """Split a dataset over the replicas of a strategy.

    Does not rebatch: which replica gets which example must not depend on how TensorFlow splits a
    batch. A worker reads only the elements of its own replicas.

    Args:
        strategy: the strategy that trains.
        make_dataset: called with keywords `replica` and `replicas`, returns the dataset of that
            replica. All of them must have the same, known length.
    """
    steps = []
    # All replicas end at the same step, so workers need not ask each other before each one.
    strategy.extended.experimental_enable_get_next_as_optional = False

    def make_worker_dataset(context: tf.distribute.InputContext) -> tf.data.Dataset:
        replicas = context.num_replicas_in_sync
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local
        datasets = [make_dataset(replica=first + n, replicas=replicas) for n in range(local)]
        steps.append(int(datasets[0].cardinality()))
        if local == 1:
            return datasets[0]
        turns = tf.data.Dataset.range(local).repeat()
        return tf.data.Dataset.choose_from_datasets(datasets, turns)

    dataset = strategy.distribute_datasets_from_function(make_worker_dataset)
    return Sharded(dataset, steps[0])
