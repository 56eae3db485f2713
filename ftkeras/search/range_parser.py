"""Parse a range such as `choice(full, layerwise(decay=uniform(0.8, 0.95)))` into a tree.

Only literals are evaluated.
"""

import ast
from typing import Any, TypeGuard

from ftkeras.search.ranges import (
    Choice,
    Interval,
    Literal,
    Node,
    Number,
    Part,
    Parts,
    is_number,
)
from ftkeras.support.specs import NOT_PYTHON, repeated

KINDS = ("choice", "uniform", "log", "int")


def parse(name: str, text: str) -> Number | Choice:
    """Return the tree of a range.

    Args:
        name: of its first parameter.
        text: the range.

    >>> from ftkeras.search.ranges import parameters
    >>> tree = parse("policy", "choice(full, freeze(layers=int(1, 3)))")
    >>> [parameter.name for parameter in parameters(tree)]
    ['policy', 'policy.freeze.layers']

    Raises:
        ValueError: it is not a valid range.
    """
    try:
        expression = ast.parse(text.strip(), mode="eval").body
        twice = repeated(expression)
    except NOT_PYTHON:
        raise ValueError(f"{text!r} can't be parsed; quote values as in Python") from None
    if twice is not None:
        raise ValueError(f"{text!r} has the key {twice!r} twice")
    if not _is_range(expression):
        raise ValueError(f"{text!r} is not a range; there are: {', '.join(KINDS)}")
    return _Parser(text.strip()).range(expression, name, in_key="." in name)


class _Range(ast.Call):
    """A call whose function is one of `KINDS`."""

    func: ast.Name


def _is_range(expression: ast.expr) -> TypeGuard[_Range]:
    return (
        isinstance(expression, ast.Call)
        and isinstance(expression.func, ast.Name)
        and expression.func.id in KINDS
    )


class _Parser:
    """Parses one range, and gives each of its parameters a name of its own.

    `in_key` says that a value belongs to a key of a part, where no further part may appear.
    """

    def __init__(self, text: str):
        self.text, self.names = text, set()

    def range(self, call: _Range, name: str, *, in_key: bool) -> Number | Choice:
        name = self._unused(name)
        if call.func.id == "choice":
            return self._choice(call, name, in_key=in_key)
        return Number(name, self._interval(call))

    def _choice(self, call: ast.Call, name: str, *, in_key: bool) -> Choice:
        if call.keywords or not call.args:
            raise ValueError(f"{self._source(call)} must list values to choose from")
        labels = tuple(self._source(item) for item in call.args)
        items = tuple(self._item(item, name, in_key=in_key) for item in call.args)
        for number, item in enumerate(items):
            if item in items[:number]:
                raise ValueError(f"{labels[number]} appears twice in {self._source(call)}")
        return Choice(name, labels, items)

    def _item(self, item: ast.expr, name: str, *, in_key: bool) -> Node:
        if _is_range(item):
            return self.range(item, f"{name}.{item.func.id}", in_key=in_key)
        if in_key:
            return self._literal(item)
        if isinstance(item, ast.List):
            return Parts(tuple(self._part(part, name) for part in item.elts))
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
            raise ValueError(f"{self._source(item)} must read name or name(key=value, …)")
        path = f"{name}.{item.func.id}"
        keys = (
            (str(key.arg), self._value(key.value, f"{path}.{key.arg}")) for key in item.keywords
        )
        return Part(item.func.id, tuple(keys))

    def _value(self, value: ast.expr, name: str) -> Node:
        if _is_range(value):
            return self.range(value, name, in_key=True)
        return self._literal(value)

    def _literal(self, value: ast.expr) -> Literal:
        try:
            return Literal(ast.literal_eval(value))
        except NOT_PYTHON:
            source = self._source(value)
            raise ValueError(f"{source} is not a value; quote texts as in Python") from None

    def _interval(self, call: _Range) -> Interval:
        source, kind = self._source(call), call.func.id
        options = {key.arg: self._literal(key.value).value for key in call.keywords}
        ends = [self._literal(end).value for end in call.args]
        known = {"step", "log"} if kind == "int" else {"step"}
        if len(ends) != 2 or set(options) - known:
            allowed = ", ".join(f"{key}=…" for key in sorted(known))
            raise ValueError(f"{source} must read {kind}(lower, upper) or with {allowed}")
        log, step = kind == "log" or bool(options.get("log")), options.get("step")
        _check_numbers(source, [*ends, *([] if step is None else [step])], whole=kind == "int")
        low, high = ends
        _check_bounds(source, low, high, step, log=log)
        return Interval(low, high, whole=kind == "int", log=log, step=step)

    def _unused(self, name: str) -> str:
        """Return the name, with a number if it is in use, as for the same part in two choices."""
        numbered = (f"{name}#{number}" for number in range(2, len(self.names) + 3))
        unused = (
            name if name not in self.names else next(n for n in numbered if n not in self.names)
        )
        self.names.add(unused)
        return unused

    def _source(self, expression: ast.expr) -> str:
        return " ".join((ast.get_source_segment(self.text, expression) or "").split())


def _check_numbers(source: str, numbers: list[Any], *, whole: bool) -> None:
    for number in numbers:
        if not is_number(number) or (whole and not isinstance(number, int)):
            raise ValueError(f"{source} takes {'whole numbers' if whole else 'numbers'}")


def _check_bounds(source: str, low: float, high: float, step: float | None, *, log: bool) -> None:
    if not low < high:
        raise ValueError(f"{source}: the lower end must be below the upper one")
    if log and low <= 0:
        raise ValueError(f"{source}: a logarithmic range must be above 0")
    if step is not None and step <= (1 if log else 0):
        least = "above 1, because it multiplies" if log else "above 0"
        raise ValueError(f"{source}: step must be {least}")
