from keras import ops

from ftkeras.regularizers._base import chosen
from ftkeras.regularizers._penalty import Penalty
from ftkeras.support.bounds import not_negative


class Orthogonal(Penalty):
    """Keeps the columns of each kernel orthogonal, whatever their lengths.

    term = strength * Σ_W ||WᵀW ∘ (1 - I)||²

    For a kernel wider than tall the columns can't be orthogonal, so there WWᵀ stands for WᵀW.
    Source: Brock et al., 2019, section 3.1, https://arxiv.org/abs/1809.11096 (`keras.regularizers`
    has a mean of absolute cosines instead, which has no paper).

    Args:
        strength: at least 0.
        where: regular expression on the paths of the kernels it is taken over.

    Raises:
        ValueError: naming the argument, its bound and the value received; or where `where`
            chooses what is no matrix.
    """

    def __init__(self, *, strength: float = 1e-4, where: str = "kernel"):
        not_negative(strength=strength)
        super().__init__(where)
        self.strength = strength

    def attach(self, model) -> None:
        self.penalized = chosen(model, self.where)
        for variable in self.penalized:
            if len(variable.shape) != 2:
                raise ValueError(
                    f"`where` must choose matrices only; {variable.path} is of shape "
                    f"{tuple(variable.shape)}. Received: {self.where!r}."
                )

    def of(self, kernel):
        """The term of one kernel."""
        rows, columns = kernel.shape
        tall = ops.transpose(kernel) if columns > rows else ops.convert_to_tensor(kernel)
        products = ops.matmul(ops.transpose(tall), tall)
        apart = products * (1 - ops.eye(min(rows, columns), dtype=products.dtype))
        return self.strength * ops.sum(ops.square(apart))
