"""Optimizers: how gradients become updates, one in each file.

An optimizer is built from `learning_rate` (a schedule), `clip_norm` and the keys of its spec. What
they share (clipping by one global norm, weight decay chosen by variable path) is in
`FineTuningOptimizer`.
"""

from typing import TYPE_CHECKING, Any, Protocol

from ftkeras.support import lazy

if TYPE_CHECKING:
    from ftkeras.optimizers._base import Group

__all__ = ["Optimizer"]


class Optimizer(Protocol):
    """The interface of an optimizer, in addition to that of a Keras optimizer.

    Attributes:
        skip_nonfinite: whether an update whose gradient is not finite is skipped.
        updates_rows: whether it takes the gradient of an embedding as rows.
        gradient_norm: global norm of the latest gradient, before clipping, scalar variable ().
        skipped: number of skipped updates, scalar variable ().
    """

    skip_nonfinite: bool
    updates_rows: bool
    gradient_norm: Any
    skipped: Any

    def build(self, variables: list) -> None:
        """Create the optimizer's variables."""
        ...

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss to differentiate."""
        ...

    def apply_gradients(self, grads_and_vars: Any) -> Any:
        """Update the variables."""
        ...

    def start_count(self, variables: list) -> None:
        """Count the updates of these variables from the next one; a started count goes on."""
        ...

    def groups(self) -> "list[Group]":
        """Return the groups of variables that are trained alike."""
        ...

    def last_learning_rate(self) -> Any:
        """Return the learning rate of the latest update, scalar ()."""
        ...


__getattr__, __dir__ = lazy.attach(__name__)
