"""The ranges of a search as trees: their parameters, and the setting for given values.

A range such as `choice(full, layerwise(decay=uniform(0.8, 0.95)))` is parsed by `range_parser`. Its
tree contains parameters, each with the choices under which it exists.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

# Significant digits of a number sampled from an interval: exact enough, and readable in a recipe.
DIGITS = 4
# Those of a number at a step, behind which there are only rounding errors.
STEP_DIGITS = 12


@dataclass(frozen=True)
class Interval:
    """Numbers from `low` to `high`, both included.

    Attributes:
        low: lower end.
        high: upper end.
        whole: integers only.
        log: sampled uniformly on a logarithmic scale.
        step: distance between neighbouring values, or their ratio if `log`; None for any number.
    """

    low: float
    high: float
    whole: bool = False
    log: bool = False
    step: float | None = None

    @property
    def count(self) -> float:
        """The number of values; infinity for any number."""
        distance, step = self.high - self.low, self.step
        if step is None:
            return distance + 1 if self.whole else math.inf
        steps = math.log(self.high / self.low, step) if self.log else distance / step
        return math.floor(steps + 1e-9) + 1

    def rounded(self, value: float) -> float:
        """Round to four significant digits, or less at steps, but not beyond the ends."""
        if self.whole:
            return int(value)
        digits = DIGITS if self.step is None or self.log else STEP_DIGITS
        return float(min(max(float(f"{value:.{digits}g}"), self.low), self.high))


@dataclass(frozen=True)
class Parameter:
    """Something that each trial assigns a value.

    Attributes:
        name: such as policy, or policy.layerwise.decay for a key inside one of its choices.
        domain: an interval, or the labels of the choices, as written in the search.
        conditions: names of other parameters with the values for which this one exists.
    """

    name: str
    domain: Interval | tuple[str, ...]
    conditions: tuple[tuple[str, str], ...] = ()

    @property
    def ends(self) -> tuple:
        """The values to check: both ends of an interval, or every choice."""
        if isinstance(self.domain, Interval):
            return self.domain.low, self.domain.high
        return self.domain

    def exists(self, values: Mapping[str, Any]) -> bool:
        """Return whether the parameter exists, given the values of the parameters before it."""
        return all(values.get(name) == label for name, label in self.conditions)


@dataclass(frozen=True)
class Literal:
    """A fixed value."""

    value: Any


@dataclass(frozen=True)
class Part:
    """A part's name, with or without keys."""

    name: str
    keys: tuple[tuple[str, "Node"], ...] = ()


@dataclass(frozen=True)
class Parts:
    """Several parts that are used together, for a flag that can be repeated."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Number:
    """A parameter with an interval."""

    name: str
    interval: Interval


@dataclass(frozen=True)
class Choice:
    """A parameter that selects one of several items, each with its label."""

    name: str
    labels: tuple[str, ...]
    items: tuple["Node", ...]


Node = Literal | Part | Parts | Number | Choice


def parameters(node: Node, conditions: tuple[tuple[str, str], ...] = ()) -> Iterator[Parameter]:
    """Yield the parameters of a tree, parents before children.

    Args:
        node: the tree.
        conditions: of the choices that contain it.
    """
    match node:
        case Number(name, interval):
            yield Parameter(name, interval, conditions)
        case Choice(name, labels, items):
            yield Parameter(name, labels, conditions)
            for label, item in zip(labels, items, strict=True):
                yield from parameters(item, (*conditions, (name, label)))
        case Part(_, keys):
            for _, value in keys:
                yield from parameters(value, conditions)
        case Parts(parts):
            for part in parts:
                yield from parameters(part, conditions)


def count(node: Node) -> float:
    """Return how many different settings a tree gives; infinity if an interval has no steps."""
    match node:
        case Number(_, interval):
            return interval.count
        case Choice(_, _, items):
            return sum(map(count, items))
        case Part(_, keys):
            return math.prod(count(value) for _, value in keys)
        case Parts(parts):
            return math.prod(map(count, parts))
    return 1


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a number that is finite as a float."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(value) <= sys.float_info.max


def setting(node: Node, values: Mapping[str, Any]) -> Any:
    """Return a tree's setting for these values: a literal, a part's spec, or a tuple of specs."""
    match node:
        case Literal(value):
            return value
        case Number(name, interval):
            return interval.rounded(values[name])
        case Choice(name, labels, items):
            return setting(items[labels.index(values[name])], values)
        case Part(name, keys):
            return spec_text(name, {key: setting(value, values) for key, value in keys})
        case Parts(parts):
            return tuple(setting(part, values) for part in parts)


def spec_text(name: str, arguments: Mapping[str, Any]) -> str:
    """Return the spec of a part, as a flag takes it.

    >>> spec_text("freeze", {"layers": 3})
    'freeze(layers=3)'
    """
    keys = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return f"{name}({keys})" if keys else name
