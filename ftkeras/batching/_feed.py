"""Batches as tf.data: a training epoch in its own order, or a whole split once."""

import numpy as np
import tensorflow as tf

from ftkeras.batching._store import Examples


class TrainingFeed:
    """The batches of each epoch, in an order that depends on (seed, epoch) only.

    So an epoch can be had again, and gone on with from any of its batches. With `class_weights`,
    float32 [classes], each element has its examples' weights as well.
    """

    def __init__(self, examples: Examples, batching, *, seed: int, class_weights=None):
        self.examples, self.batching, self.seed = examples, batching, seed
        self.class_weights = class_weights

    def batches(self, epoch: int) -> list[np.ndarray]:
        """The positions of each batch of an epoch."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.examples))
        return self.batching.plan(self.examples.lengths, order)

    def __len__(self) -> int:
        return len(self.batches(epoch=0))

    def dataset(self, epoch: int, *, start: int = 0) -> tf.data.Dataset:
        """Elements (inputs, labels[, weights]) of an epoch, from its batch number `start` on."""
        plan = self.batches(epoch)[start:]
        return _dataset(self.examples, self.batching, plan, self.class_weights)


class OrderedFeed:
    """Every example once, those of like length together, for evaluation.

    `positions` tells which example each row of the outputs belongs to.
    """

    def __init__(self, examples: Examples, batching):
        self.examples, self.batching = examples, batching
        by_length = np.argsort(-examples.lengths, kind="stable")
        self._plan = batching.plan(examples.lengths, by_length)
        self.positions = np.concatenate(self._plan)

    def dataset(self) -> tf.data.Dataset:
        """Elements (inputs, labels)."""
        return _dataset(self.examples, self.batching, self._plan)


def _dataset(examples: Examples, batching, plan, class_weights=None) -> tf.data.Dataset:
    def generate():
        for positions in plan:
            labels = examples.own_labels[positions]
            weights = () if class_weights is None else (class_weights[labels],)
            yield batching.collate(examples, positions), labels, *weights

    inputs = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
    if examples.pairs:
        inputs["segment_ids"] = tf.TensorSpec((None, None), tf.int32)
    weights = () if class_weights is None else (tf.TensorSpec((None,), tf.float32),)
    signature = (inputs, tf.TensorSpec((None,), tf.int64), *weights)
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    # So that Keras knows where an epoch ends.
    return dataset.apply(tf.data.experimental.assert_cardinality(len(plan))).prefetch(4)
