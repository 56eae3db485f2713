"""L2 penalty with the pretrained weights as starting point (L2-SP)."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.regularizers._variables import constant_copy
from ftkeras.support.bounds import not_negative
from ftkeras.support.in_keras import encoders_of
from ftkeras.support.protocols import Model


class L2SP(Regularizer):
    """Pull the encoder towards its pretrained weights, and new weights towards 0.

    term = strength/2 * Σ_encoder (w - w⁰)² + head_strength/2 * Σ_new w²

    over all variables that train, including biases and scales. The head is new, and so is what
    `lora` or `adapters` add to the encoder. w⁰ are the values before training; the copies need as
    much memory as the encoder's trainable weights. Use `adamw(decay=0)`, so that nothing else
    pulls the encoder towards 0.
    Source: Li et al., 2018, https://arxiv.org/abs/1802.01483.

    Args:
        strength: strength of the pull towards the pretrained weights, α in the paper; at least 0.
        head_strength: strength of the pull of new weights towards 0, β in the paper; at least 0.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if only the head trains.
    """

    of_weights = True

    def __init__(self, *, strength: float = 0.01, head_strength: float = 0.01):
        not_negative(strength=strength, head_strength=head_strength)
        self.strength, self.head_strength = strength, head_strength
        self.pretrained: list[tuple[keras.Variable, keras.Variable]] = []
        self.new: list[keras.Variable] = []

    def attach(self, model: Model) -> None:
        own, head = model.encoder.trainable_variables, model.head.trainable_variables
        self.pretrained = [(v, constant_copy(v)) for v in own]
        known = set(map(id, own))
        self.new = [v for v in model.trainable_variables if id(v) not in known]
        if not own and len(self.new) == len(head):
            raise ValueError(
                "no variable of the encoder is trainable, so there is nothing to regularize."
            )

    def of_variable(self, model: Any) -> dict[int, Callable[[Any], Any]]:
        """Return the term of each variable.

        In a model with an encoder of ours, the other variables are pulled towards 0. Without one,
        all are pulled towards their present values; apply it to a backbone to leave out a head.
        """
        parts = encoders_of(model) or [model]
        starts = [(v, constant_copy(v)) for part in parts for v in part.trainable_variables]
        if not starts:
            raise ValueError("no variable is trainable, so there is nothing to regularize.")
        terms = {id(v): self._pull(self.strength, start) for v, start in starts}
        return {id(v): self._pull(self.head_strength) for v in model.trainable_variables} | terms

    @staticmethod
    def _pull(strength: float, start: Any = 0.0) -> Callable[[Any], Any]:
        return lambda v: strength / 2 * ops.sum(ops.square(ops.subtract(v, start)))

    def __call__(self, step: Step) -> Any:
        moved = sum(ops.sum(ops.square(ops.subtract(v, start))) for v, start in self.pretrained)
        new = sum(ops.sum(ops.square(v)) for v in self.new)
        return self.strength / 2 * moved + self.head_strength / 2 * new
