"""The metrics of problems."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A metric that a problem computes of a split, and by which runs can be compared.

    Attributes:
        name: as metrics.json has it.
        lower_is_better: whether a lower value is better.
        limits: the smallest and the largest possible value.
    """

    name: str
    lower_is_better: bool = False
    limits: tuple[float, float] = (0.0, 1.0)


LOSS = Measure("loss", lower_is_better=True, limits=(0.0, math.inf))
