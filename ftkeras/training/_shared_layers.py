"""Trace layers that differ only in their weights once per step, and call that with each's."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ftkeras.support.seeds import replay

Tensor = Any


class SharedLayers:
    """Run an encoder's layers, in training, as one traced function of their weights.

    A step of twelve layers is then traced and differentiated like a step of one layer, which saves
    seconds before the first step (`benchmarks/NOTES.md`). TensorFlow inlines the function at each
    call, so a step computes and samples the same as without it. A layer that is partly frozen or
    changed by a policy is called as it is.

    Args:
        blocks: the layers, all of the same architecture.

    Call:
        block: one of the layers.
        states: its input, [batch, length, hidden].
        score_bias: added to its attention scores.
    """

    def __init__(self, blocks: Sequence[Any]):
        self._pattern = blocks[0]
        self._function = tf.function(self._run_pattern, autograph=False)

    def __call__(self, block: Any, states: Tensor, score_bias: Tensor) -> Tensor:
        changed = block.is_changed or self._pattern.is_changed
        if changed or not all(weight.trainable for weight in block.weights):
            return block(states, score_bias, training=True)
        weights = [tf.convert_to_tensor(weight.value) for weight in block.weights]
        seeds = [block.seeds.next() for _ in range(block.seeds_per_call)]
        return self._function(states, score_bias, seeds, weights)

    def _run_pattern(self, states: Tensor, score_bias: Tensor, seeds: list, weights: list):
        """Run the first layer with the given weights and seeds in the place of its own."""
        mapping = list(zip(self._pattern.weights, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping), replay(seeds):
            return self._pattern(states, score_bias, training=True)
