"""Orthogonality penalty."""

from typing import Any

import keras
from keras import ops

from ftkeras.regularizers._penalty import Penalty
from ftkeras.support.bounds import not_negative
from ftkeras.support.protocols import Model


class Orthogonal(Penalty):
    """Penalize scalar products of the columns of each kernel, but not their lengths.

    term = strength * Σ_W ||WᵀW ∘ (1 - I)||²

    The columns of a kernel that is wider than tall can't be orthogonal: it uses WWᵀ instead of WᵀW.
    Source: Brock et al., 2019, section 3.1, https://arxiv.org/abs/1809.11096 (`keras.regularizers`
    has the mean of absolute cosines instead, for which there is no paper).

    Args:
        strength: at least 0.
        where: regular expression on the paths of the kernels to penalize.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if `where` matches nothing that trains, or a variable that is not a matrix.

    >>> float(Orthogonal(strength=1.0).penalty(keras.Variable([[1.0, 1.0], [0.0, 1.0]])))
    2.0
    """

    def __init__(self, *, strength: float = 1e-4, where: str = "kernel"):
        not_negative(strength=strength)
        super().__init__(where)
        self.strength = strength

    def attach(self, model: Model) -> None:
        super().attach(model)
        for variable in self.penalized:
            if len(variable.shape) != 2:
                raise ValueError(
                    f"`where` must match matrices only; {variable.path} has shape "
                    f"{tuple(variable.shape)}. Received: {self.where!r}."
                )

    def penalty(self, variable: keras.Variable) -> Any:
        rows, columns = variable.shape
        tall = ops.transpose(variable) if columns > rows else ops.convert_to_tensor(variable)
        products = ops.matmul(ops.transpose(tall), tall)
        off_diagonal = products * (1 - ops.eye(min(rows, columns), dtype=products.dtype))
        return self.strength * ops.sum(ops.square(off_diagonal))
