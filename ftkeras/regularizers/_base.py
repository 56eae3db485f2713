import inspect
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ftkeras.support.seeds import ReplicaSeedGenerator


@dataclass(frozen=True)
class Step:
    """What a regularizer sees of a training step.

    Attributes:
        labels: integer [batch].
        logits: float [batch, classes], of the pass that the loss is of.
        mean: figures [batch] -> their mean over the examples that are there, a scalar ().
        forward: (embedding_offset=None) -> logits of another pass in training, with its own
            dropout; the offset [batch, length, hidden] is added to the embeddings.
        loss_of: logits -> the task's loss, the mean over this batch, float32 scalar ().
        value_and_gradient: (function, tensor) -> the scalar function(tensor), and its gradient
            there; the value can be differentiated once more by what it depends on.
        embedding_shape: of an embedding_offset, (batch, length, hidden). It and the mask are for
            who works `by_row`; else None, where the encoder has read the texts before.
        padding_mask: [batch, length], true where a token stands.
    """

    labels: Any
    logits: Any
    mean: Callable
    forward: Callable
    loss_of: Callable
    value_and_gradient: Callable
    embedding_shape: tuple
    padding_mask: Any


class Regularizer:
    """What every regularizer may do; here, nothing.

    A constructor keeps each argument under its own name, which `get_config` reads.
    """

    replaces_loss = False
    # Whether it disturbs what goes on inside the encoder, where it takes each row for one text: so
    # rows may not hold several, and the encoder must run in each step.
    by_row = False

    def attach(self, model) -> None:
        """Looks at the model once, before training."""

    def __call__(self, step: Step):
        """The term of this step's loss, a scalar ()."""
        return 0.0

    @property
    def variables(self) -> list[keras.Variable]:
        """What it has drawn so far: the state that a checkpoint keeps."""
        streams = (v for v in vars(self).values() if isinstance(v, keras.random.SeedGenerator))
        return [stream.state for stream in streams]

    def get_config(self) -> dict:
        """The arguments that make it again."""
        arguments = inspect.signature(type(self).__init__).parameters.values()
        return {a.name: getattr(self, a.name) for a in arguments if a.kind is a.KEYWORD_ONLY}


def chosen(model, where: str) -> list:
    """The trainable variables whose path matches.

    Raises:
        ValueError: for an expression that matches nothing.
    """
    variables = [v for v in model.trainable_variables if re.search(where, v.path)]
    if not variables:
        example = next((v.path for v in model.trainable_variables), "but none trains")
        raise ValueError(
            f"`where` must match a trainable variable's path, such as {example}. "
            f"Received: {where!r}."
        )
    return variables


def kept(variable: keras.Variable) -> keras.Variable:
    """A copy of a variable that stays as it is now."""
    value = keras.ops.convert_to_numpy(variable)
    return keras.Variable(value, dtype=variable.dtype, trainable=False, name="kept")


def stream(part: str, seed: int | None) -> ReplicaSeedGenerator:
    """A part's own random numbers: the run gives every part the same seed."""
    if seed is None:
        return ReplicaSeedGenerator()
    draws = np.random.default_rng([seed, zlib.crc32(part.encode())])
    return ReplicaSeedGenerator(int(draws.integers(2**31)))
