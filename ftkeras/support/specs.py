"""Read specs: a part's name and its settings, as in `cosine(end=0.1)`."""

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ftkeras.errors import UserError

PYTHON_WORDS = {word.lower(): word for word in ("True", "False", "None")}
# What Python raises for a text that is none of its literals, or that is nested too deeply.
NOT_PYTHON = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)
# What quotes would not make a value of.
NOT_FINITE = re.compile(r"[-+]*(nan|inf|infinity)?", re.IGNORECASE)
# `key=value` without quotes or brackets.
BARE = re.compile(r"""(\w+) *= *([^\s,()'"[\]{}=][^,()'"[\]{}]*)""")


@dataclass(frozen=True)
class Spec:
    """A part's name and the keys it was given.

    >>> str(Spec("linear", {"end": 0.1}))
    'linear(end=0.1)'
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.name}({given})" if given else self.name


def parse(kind: str, text: str, keys: Callable[[str], Iterable[str]] = lambda name: ()) -> Spec:
    """Read `name` or `name(key=value, …)`, where values are Python literals.

    Args:
        kind: of the part; named in errors.
        text: the spec.
        keys: returns the keys of the part of a name, of which the first are those of values that
            have none.

    Raises:
        UserError: if the text is not such a spec.

    >>> parse("head", "classification(dropout=0.2)")
    Spec(name='classification', arguments={'dropout': 0.2})
    >>> parse("self_training", "rounds(2)", lambda name: ["count", "confidence"])
    Spec(name='rounds', arguments={'count': 2})
    """
    try:
        node = _parsed(text.strip())
        if isinstance(node, ast.Name):
            return Spec(node.id)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            raise ValueError
        first = list(keys(node.func.id))[: len(node.args)] if node.args else []
        named = [(key.arg, key.value) for key in node.keywords if key.arg not in (None, *first)]
        if len(named) < len(node.keywords):  # a `**`, or a key that has a value already
            raise ValueError
        given = [*zip(first, node.args, strict=True), *named]
        if (twice := repeated(node)) is not None:
            raise UserError(f"`{kind}` has the key {twice!r} twice. Received: {text!r}.")
        return Spec(node.func.id, {str(key): ast.literal_eval(value) for key, value in given})
    except NOT_PYTHON:
        raise UserError(
            f"`{kind}` must be name or name(key=value, …), with values written as in Python"
            f"{_remedy(text)}. Received: {text!r}."
        ) from None


def _parsed(text: str) -> ast.expr:
    """Return the syntax of a text, without the warnings about escapes in regular expressions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text, mode="eval").body


def repeated(tree: ast.AST) -> Any:
    """Return a key that a call or a dict has twice, of which Python would drop one; None if none.

    Raises:
        ValueError: if a key of a dict is no literal.
        TypeError: if it can't be a key.

    >>> repeated(ast.parse("linear(end=1, end=2)")), repeated(ast.parse("{'a': 1}"))
    ('end', None)
    """
    for node in ast.walk(tree):
        keys: list[Any] = []
        if isinstance(node, ast.Dict):
            keys = [ast.literal_eval(key) for key in node.keys if key is not None]
        elif isinstance(node, ast.Call):
            keys = [key.arg for key in node.keywords if key.arg is not None]
        if len(set(keys)) < len(keys):
            return next(key for key in keys if keys.count(key) > 1)
    return None


def _remedy(text: str) -> str:
    """Return how to write the first value that is not Python; "" if there is none.

    >>> _remedy("bert(layers=2, vocabulary=vocab.txt)"), _remedy("adamw(lazy=true)")
    (": vocabulary='vocab.txt'", ': lazy=True')
    """
    for key, value in BARE.findall(text):
        value = value.strip()
        try:
            ast.literal_eval(_parsed(value))
        except NOT_PYTHON:
            if NOT_FINITE.fullmatch(value):
                continue
            return f": {key}={PYTHON_WORDS.get(value.lower(), repr(value))}"
    return ""
