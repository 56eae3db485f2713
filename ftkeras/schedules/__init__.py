"""Learning-rate schedules, one in each file.

A schedule is built from its spec's keys and these arguments, of which it takes those it needs:
`peak`, the learning rate at the end of the warm-up (--learning_rate); `total_steps`, the optimizer
updates after the warm-up; and `warmup`, the updates of the warm-up. Call it with the number of
updates made since the warm-up, a scalar (), to get the learning rate of the next update, a float32
scalar ().

`Warmup` joins the warm-up in front. A schedule with `rises = True` has its own warm-up and gets
none. A schedule that depends on validation has a `callback()` for `fit` and keeps its state in
`variables`.
"""

from typing import Any, ClassVar, Protocol

from ftkeras.schedules._growth import Growth
from ftkeras.schedules._warmup import Warmup
from ftkeras.support import lazy

__all__ = ["Growth", "Schedule", "Warmup"]


class Schedule(Protocol):
    """A learning rate for each optimizer update.

    Attributes:
        rises: whether the schedule has a warm-up of its own.
    """

    rises: ClassVar[bool]

    def __call__(self, step: Any) -> Any:
        """Return the learning rate, float32 scalar (), after `step` updates, scalar ()."""
        ...

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        ...


__getattr__, __dir__ = lazy.attach(__name__)
