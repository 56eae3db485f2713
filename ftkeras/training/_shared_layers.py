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
        blocks: the layers; those of one `structure` differ in their weights only.

    Call:
        block: one of the layers.
        states: its input, [batch, length, hidden].
        attention: its attention's bias and rotary positions.
    """

    def __init__(self, blocks: Sequence[Any]):
        self._patterns: dict[Any, _Pattern] = {}
        for block in blocks:
            if block.structure not in self._patterns:
                self._patterns[block.structure] = _Pattern(block)

    def __call__(self, block: Any, states: Tensor, attention: Any) -> Tensor:
        pattern = self._patterns[block.structure]
        changed = block.is_changed or pattern.block.is_changed
        if changed or not all(weight.trainable for weight in block.weights):
            return block(states, attention, training=True)
        weights = [tf.convert_to_tensor(weight.value) for weight in block.weights]
        seeds = [block.seeds.next() for _ in range(block.seeds_per_call)]
        return pattern.function(states, attention, seeds, weights)


class _Pattern:
    """A layer, and the function of its weights that it computes."""

    def __init__(self, block: Any):
        self.block = block
        self.function = tf.function(self._run, autograph=False)

    def _run(self, states: Tensor, attention: Any, seeds: list, weights: list) -> Tensor:
        """Run the layer with the given weights and seeds in the place of its own."""
        mapping = list(zip(self.block.weights, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping), replay(seeds):
            return self.block(states, attention, training=True)
