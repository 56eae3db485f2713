"""A range as it is written, `choice(full, layerwise(decay=uniform(0.8, 0.95)))`, to a tree.

The tree knows the parameters that stand in it, each with the choices under which it exists, and
gives what is written once each has a value. Nothing is evaluated but literals.
"""

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Digits of a number drawn from an interval: enough for any setting, and a recipe reads well.
DIGITS = 4
KINDS = ("choice", "uniform", "log", "int")


@dataclass(frozen=True)
class Interval:
    """Numbers from `low` to `high`, both included.

    Attributes:
        whole: whole numbers only.
        log: drawn evenly on a logarithmic scale.
        step: between two neighbours; what multiplies where `log`; None for any number.
    """

    low: float
    high: float
    whole: bool = False
    log: bool = False
    step: float | None = None

    def rounded(self, value: float) -> float:
        """As it is used: four significant digits, and not outside."""
        if self.whole:
            return int(value)
        return float(min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high))


@dataclass(frozen=True)
class Parameter:
    """Something that a trial gives a value.

    Attributes:
        name: such as policy, or policy.layerwise.decay for a key inside one choice of it.
        domain: an interval, or what there is to choose from, as it is written.
        conditions: names of other parameters and what they must be for this one to exist.
    """

    name: str
    domain: Interval | tuple[str, ...]
    conditions: tuple[tuple[str, str], ...] = ()

    @property
    def ends(self) -> tuple:
        """The values to try when all must be tried: every choice, or both ends."""
        if isinstance(self.domain, Interval):
            return self.domain.low, self.domain.high
        return self.domain

    def exists(self, values: Mapping[str, object]) -> bool:
        """Whether it has a value beside these of the parameters before it."""
        return all(values.get(name) == label for name, label in self.conditions)


@dataclass(frozen=True)
class Literal:
    value: object


@dataclass(frozen=True)
class Part:
    """A name, or a name with keys."""

    name: str
    keys: tuple[tuple[str, "Node"], ...] = ()


@dataclass(frozen=True)
class Several:
    """Parts that are given together, for a flag that can be repeated."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Number:
    name: str
    interval: Interval


@dataclass(frozen=True)
class Choice:
    name: str
    labels: tuple[str, ...]
    items: tuple["Node", ...]


Node = Literal | Part | Several | Number | Choice


def read(name: str, text: str) -> Number | Choice:
    """The tree of a range.

    >>> [p.name for p in parameters(read("policy", "choice(full, freeze(layers=int(1, 3)))"))]
    ['policy', 'policy.freeze.layers']

    Raises:
        ValueError: saying what is wrong with it.
    """
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise ValueError(f"{text!r} can't be read; values are quoted as in Python") from None
    if not _is_range(expression):
        raise ValueError(f"{text!r} is no range; there are: {', '.join(KINDS)}")
    return _Reader(text.strip()).range(expression, name, in_key="." in name)


def parameters(node: Node, conditions: tuple = ()) -> Iterator[Parameter]:
    """What stands in a tree, parents before children."""
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
        case Several(parts):
            for part in parts:
                yield from parameters(part, conditions)


def filled(node: Node, values: Mapping[str, object]):
    """What a tree says with these values: a literal, the text of a part, or a tuple of texts."""
    match node:
        case Literal(value):
            return value
        case Number(name, interval):
            return interval.rounded(values[name])
        case Choice(name, labels, items):
            return filled(items[labels.index(values[name])], values)
        case Part(name, keys):
            return spec_text(name, {key: filled(value, values) for key, value in keys})
        case Several(parts):
            return tuple(filled(part, values) for part in parts)


def spec_text(name: str, arguments: Mapping[str, object]) -> str:
    """A part as a flag says it.

    >>> spec_text("freeze", {"layers": 3})
    'freeze(layers=3)'
    """
    keys = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return f"{name}({keys})" if keys else name


def _is_range(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and isinstance(expression.func, ast.Name)
        and expression.func.id in KINDS
    )


class _Reader:
    """Reads one line; names are given as it goes, so that no two parameters have the same."""

    def __init__(self, text: str):
        self.text, self.taken = text, set()

    def range(self, call: ast.Call, name: str, *, in_key: bool) -> Number | Choice:
        name = self._free(name)
        if call.func.id == "choice":
            return self._choice(call, name, in_key=in_key)
        return Number(name, self._interval(call))

    def _choice(self, call: ast.Call, name: str, *, in_key: bool) -> Choice:
        if call.keywords or not call.args:
            raise ValueError(f"{self._said(call)} must name what there is to choose from")
        labels = tuple(self._said(item) for item in call.args)
        items = tuple(self._item(item, name, in_key=in_key) for item in call.args)
        for number, item in enumerate(items):
            if item in items[:number]:
                raise ValueError(f"{labels[number]} stands twice in {self._said(call)}")
        return Choice(name, labels, items)

    def _item(self, item: ast.expr, name: str, *, in_key: bool) -> Node:
        if _is_range(item):
            return self.range(item, f"{name}.{item.func.id}", in_key=in_key)
        if in_key:
            return self._literal(item)
        if isinstance(item, ast.List):
            return Several(tuple(self._part(part, name) for part in item.elts))
        if isinstance(item, ast.Name | ast.Call):
            return self._part(item, name)
        return self._literal(item)

    def _part(self, item: ast.expr, name: str) -> Part:
        if isinstance(item, ast.Name):
            return Part(item.id)
        if (
            not (isinstance(item, ast.Call) and isinstance(item.func, ast.Name))
            or item.args
            or any(key.arg is None for key in item.keywords)
        ):
            raise ValueError(f"{self._said(item)} must read name or name(key=value, …)")
        path = f"{name}.{item.func.id}"
        keys = ((key.arg, self._value(key.value, f"{path}.{key.arg}")) for key in item.keywords)
        return Part(item.func.id, tuple(keys))

    def _value(self, value: ast.expr, name: str) -> Node:
        if _is_range(value):
            return self.range(value, name, in_key=True)
        return self._literal(value)

    def _literal(self, value: ast.expr) -> Literal:
        try:
            return Literal(ast.literal_eval(value))
        except (ValueError, TypeError):
            raise ValueError(
                f"{self._said(value)} is no value; texts are quoted as in Python"
            ) from None

    def _interval(self, call: ast.Call) -> Interval:
        said, kind = self._said(call), call.func.id
        given = {key.arg: self._literal(key.value).value for key in call.keywords}
        ends = [self._literal(end).value for end in call.args]
        known = {"step", "log"} if kind == "int" else {"step"}
        if len(ends) != 2 or set(given) - known:
            options = ", ".join(f"{key}=…" for key in sorted(known))
            raise ValueError(f"{said} must read {kind}(lower, upper) or with {options}")
        log, step = kind == "log" or bool(given.get("log")), given.get("step")
        numbers = [*ends, *([] if step is None else [step])]
        wanted = int if kind == "int" else (int, float)
        if any(isinstance(n, bool) or not isinstance(n, wanted) for n in numbers) or not all(
            math.isfinite(n) for n in numbers
        ):
            what = "whole numbers" if kind == "int" else "numbers"
            raise ValueError(f"{said} takes {what}")
        if not ends[0] < ends[1]:
            raise ValueError(f"{said}: the lower end must be below the upper one")
        if log and ends[0] <= 0:
            raise ValueError(f"{said}: a logarithmic range must lie above 0")
        if step is not None and step <= (1 if log else 0):
            least = "above 1, for it multiplies" if log else "above 0"
            raise ValueError(f"{said}: step must be {least}")
        return Interval(*ends, whole=kind == "int", log=log, step=step)

    def _free(self, name: str) -> str:
        """The name, or with a number where a choice holds the same part twice."""
        numbered = (f"{name}#{number}" for number in range(2, len(self.taken) + 3))
        free = name if name not in self.taken else next(n for n in numbered if n not in self.taken)
        self.taken.add(free)
        return free

    def _said(self, expression: ast.expr) -> str:
        return " ".join((ast.get_source_segment(self.text, expression) or "").split())
