"""Layers that differ in their weights alone are traced once a step, and called with each's."""

import keras
import tensorflow as tf

from ftkeras.support.seeds import replay


class SharedLayers:
    """An encoder's layers, in training, as one function of their weights.

    A step of twelve layers is then traced and differentiated as one of one layer is, which saves
    seconds before the first step (`benchmarks/NOTES.md`). TensorFlow puts the function's body in
    the place of each call, so a step computes and draws what it would without. A layer part of
    whose weights are frozen, or that a policy changes, is called as it is.

    Args:
        blocks: the layers; all alike.

    Call: block, one of them, states [batch, length, hidden], score_bias -> what it gives for them.
    """

    def __init__(self, blocks):
        self._pattern = blocks[0]
        self._function = tf.function(self._computed, autograph=False)

    def __call__(self, block, states, score_bias):
        changed = block.is_changed or self._pattern.is_changed
        if changed or not all(weight.trainable for weight in block.weights):
            return block(states, score_bias, training=True)
        weights = [tf.convert_to_tensor(weight.value) for weight in block.weights]
        seeds = [block.seeds.next() for _ in range(block.seeds_per_call)]
        return self._function(states, score_bias, seeds, weights)

    def _computed(self, states, score_bias, seeds, weights):
        mapping = list(zip(self._pattern.weights, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping), replay(seeds):
            return self._pattern(states, score_bias, training=True)
