"""Find and build parts by name: `name(key=value, …)` is a class in that kind's folder.

A kind, such as `schedule`, is a folder of the package. Each public module in it is one part, and
the part's class is named like the module without underscores. To add a part, add a file; there is
no registry.
"""

import ast
import importlib
import inspect
import pathlib
from dataclasses import dataclass, field
from typing import Any

from ftkeras.errors import PartError, UserError

# The argument that names a part, and the folder of its kind.
KINDS = {
    "average": "averages",
    "task": "tasks",
    "encoder": "encoders",
    "group_by": "data/groupings",
    "head": "heads",
    "truncation": "text/truncations",
    "batching": "data/batching",
    "loss": "losses",
    "schedule": "schedules",
    "optimizer": "optimizers",
    "policy": "policies",
    "regularizer": "regularizers",
    "export": "exporters",
    "oracle": "search/oracles",
    "strategy": "strategies",
}


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


def names(kind: str) -> list[str]:
    """Return the names of all parts of a kind, sorted."""
    return sorted(path.stem for path in _folder(kind).glob("*.py") if path.stem[0] != "_")


def parse(kind: str, text: str) -> Spec:
    """Read `name` or `name(key=value, …)`, where values are Python literals.

    Raises:
        UserError: if the text is not such a spec.

    >>> parse("head", "classification(dropout=0.2)")
    Spec(name='classification', arguments={'dropout': 0.2})
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return Spec(node.id)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)) or node.args:
            raise ValueError
        if any(key.arg is None for key in node.keywords):
            raise ValueError
        return Spec(node.func.id, {key.arg: ast.literal_eval(key.value) for key in node.keywords})
    except (ValueError, SyntaxError):
        raise UserError(
            f"`{kind}` must be name or name(key=value, …), with values written as in Python. "
            f"Received: {text!r}."
        ) from None


def find(kind: str, name: str) -> type:
    """Return the class of a part.

    Raises:
        UserError: if there is no part of this name.
    """
    if name not in names(kind):
        raise UserError(f"`{kind}` must be one of {', '.join(names(kind))}. Received: {name!r}.")
    module = importlib.import_module(f"ftkeras.{KINDS[kind].replace('/', '.')}.{name}")
    for member in vars(module).values():
        own = inspect.isclass(member) and member.__module__ == module.__name__
        if own and _is_named_like(member.__name__, name):
            return member
    raise TypeError(f"{module.__name__} defines no class named like the file.")


def describe(name: str) -> tuple[str, str] | None:
    """Return the kind of a part and its class's docstring, without importing it.

    Returns:
        None if there is no part of this name.
    """
    for kind in KINDS:
        if name in names(kind):
            tree = ast.parse((_folder(kind) / f"{name}.py").read_text(encoding="utf-8"))
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
            own = next(node for node in classes if _is_named_like(node.name, name))
            return kind, ast.get_docstring(own) or ""
    return None


def build(kind: str, text: str, **context: Any) -> Any:
    """Build the part that a spec names.

    Args:
        kind: a key of `KINDS`.
        text: the spec, such as `linear(end=1e-6)`.
        context: what the run knows, such as the number of steps or classes. A part gets the
            values that its constructor asks for; a spec cannot set them.

    Raises:
        UserError: if there is no such part or key, if a key is missing, or if the part refuses a
            value.
    """
    spec = parse(kind, text)
    return construct(kind, find(kind, spec.name), spec, **context)


def construct(kind: str, cls: type, spec: Spec, **context: Any) -> Any:
    """Build a part from its class, its spec and what the run knows, as `build` does."""
    parameters = inspect.signature(cls.__init__).parameters
    keys = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in context
    }
    for key in spec.arguments:
        if key not in keys:
            known = f"it takes {', '.join(keys)}" if keys else "it takes none"
            raise PartError(kind, str(spec), f"there is no key {key!r}; {known}.")
    required = [name for name, parameter in keys.items() if parameter.default is parameter.empty]
    if missing := [name for name in required if name not in spec.arguments]:
        raise PartError(kind, str(spec), f"needs {', '.join(missing)}.")
    wanted = {name: value for name, value in context.items() if name in parameters}
    try:
        return cls(**wanted, **spec.arguments)
    except (ValueError, TypeError) as error:
        raise PartError(kind, str(spec), str(error)) from error


def _folder(kind: str) -> pathlib.Path:
    return pathlib.Path(__file__).parent / KINDS[kind]


def _is_named_like(class_name: str, module_name: str) -> bool:
    return class_name.lower() == module_name.replace("_", "")
