"""The two vectors of a pair of texts, which are the outputs of a model one after the other."""

from typing import Any

Tensor = Any


def halves(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and the second vectors, [..., size], of outputs [..., 2 * size].

    >>> import numpy as np
    >>> halves(np.array([[1, 2, 3, 4]]))
    (array([[1, 2]]), array([[3, 4]]))
    """
    size = outputs.shape[-1] // 2
    return outputs[..., :size], outputs[..., size:]
