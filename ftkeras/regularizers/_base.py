import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """What a regularizer sees of a training step.

    Attributes:
        labels: integer [batch].
        logits: float [batch, classes], of the pass that the loss is of.
        forward: (embedding_offset=None) -> logits of another pass in training, with its own
            dropout; the offset [batch, length, hidden] is added to the embeddings.
        loss_of: logits -> the task's loss, float32 scalar ().
        gradient_of: (function, tensor) -> the gradient of the scalar function(tensor) there.
        embedding_shape: of an embedding_offset, (batch, length, hidden).
        padding_mask: [batch, length], true where a token stands.
    """

    labels: Any
    logits: Any
    forward: Callable
    loss_of: Callable
    gradient_of: Callable
    embedding_shape: tuple
    padding_mask: Any


class Regularizer:
    """What every regularizer may do; here, nothing."""

    def attach(self, model) -> None:
        """Looks at the model once, before training."""

    def __call__(self, step: Step):
        """The term of this step's loss, a scalar ()."""
        return 0.0


def chosen(model, where: str) -> list:
    """The trainable variables whose path matches.

    Raises:
        ValueError: for an expression that is none, or that matches nothing.
    """
    try:
        pattern = re.compile(where)
    except re.error as error:
        raise ValueError(
            f"`where` is no regular expression ({error}). Received: {where!r}."
        ) from None
    variables = [v for v in model.trainable_variables if pattern.search(v.path)]
    if not variables:
        paths = [v.path for v in model.trainable_variables]
        raise ValueError(
            f"`where` must match a trainable variable's path, such as {paths[0]}. "
            f"Received: {where!r}."
        )
    return variables
