from keras import ops

from ftkeras.regularizers._base import Regularizer, Step, kept
from ftkeras.support.bounds import not_negative


class L2SP(Regularizer):
    """Pulls the encoder towards the weights it came with, and the new head towards 0.

    term = strength/2 * Σ_encoder (w - w⁰)² + head_strength/2 * Σ_head w²

    over all variables that train, biases and scales too; w⁰ is each one's value before training,
    kept as a copy: memory for the trainable weights once more. With `adamw(decay=0)`
    nothing else pulls the encoder to 0.
    Source: Li et al., 2018, https://arxiv.org/abs/1802.01483.

    Args:
        strength: of the pull to the pretrained weights, α in the paper; at least 0.
        head_strength: of the pull to 0, β in the paper; at least 0.

    Raises:
        ValueError: naming the argument, its bound and the value received; or where nothing of
            the encoder trains.
    """

    def __init__(self, *, strength: float = 0.01, head_strength: float = 0.01):
        not_negative(strength=strength, head_strength=head_strength)
        self.strength, self.head_strength = strength, head_strength

    def attach(self, model) -> None:
        self.pretrained = [(v, kept(v)) for v in model.encoder.trainable_variables]
        self.new = model.head.trainable_variables
        if not self.pretrained:
            raise ValueError("there is no encoder variable that trains, so none to hold back.")

    def __call__(self, step: Step):
        moved = sum(ops.sum(ops.square(ops.subtract(v, start))) for v, start in self.pretrained)
        new = sum(ops.sum(ops.square(v)) for v in self.new)
        return self.strength / 2 * moved + self.head_strength / 2 * new
