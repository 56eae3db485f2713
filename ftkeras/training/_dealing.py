"""Elements to replicas: each gets its own, and a worker makes only its own replicas'."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Dealt:
    """What a strategy's replicas take, step by step.

    Attributes:
        dataset: an element a replica and step, as `model.fit` takes it.
        steps: how many steps there are.
    """

    dataset: tf.data.Dataset
    steps: int


def dealt(strategy: tf.distribute.Strategy, of_replica: Callable) -> Dealt:
    """Deals out what `of_replica(replica=…, replicas=…)` gives, datasets of equal length.

    Not by rebatching: who gets which example must not hang on how TensorFlow splits a batch.
    """
    steps = []
    # All replicas end at the same step, so workers need not ask each other before each.
    strategy.extended.experimental_enable_get_next_as_optional = False

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        replicas = context.num_replicas_in_sync
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local
        datasets = [of_replica(replica=first + n, replicas=replicas) for n in range(local)]
        steps.append(int(datasets[0].cardinality()))
        if local == 1:
            return datasets[0]
        turns = tf.data.Dataset.range(local).repeat()
        return tf.data.Dataset.choose_from_datasets(datasets, turns)

    dataset = strategy.distribute_datasets_from_function(of_worker)
    return Dealt(dataset, steps[0])
