"""Parts by name: `name(key=value, …)` is the class in that kind's folder, one file a part.

A kind is a folder of the package, a part a public module in it, and its class the one whose name is
the module's without underscores. A new part is a new file; nothing is registered.
"""

import ast
import importlib
import inspect
import pathlib
from dataclasses import dataclass, field

from ftkeras.errors import UserError

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
    """A part's name and the keys it was given."""

    name: str
    arguments: dict = field(default_factory=dict)


def names(kind: str) -> list[str]:
    """The parts there are of a kind, sorted."""
    folder = pathlib.Path(__file__).parent / KINDS[kind]
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def parse(kind: str, text: str) -> Spec:
    """Reads `name` or `name(key=value, …)`, the values Python literals.

    >>> parse("head", "classification(dropout=0.2)")
    Spec(name='classification', arguments={'dropout': 0.2})
    """
    problem = f"`{kind}` must read name or name(key=value, …), values quoted as in Python."
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
        raise UserError(f"{problem} Received: {text!r}.") from None


def find(kind: str, name: str) -> type:
    """The class behind a part's name."""
    if name not in names(kind):
        raise UserError(f"`{kind}`: there is no {name!r}; there are: {', '.join(names(kind))}.")
    module = importlib.import_module(f"ftkeras.{KINDS[kind].replace('/', '.')}.{name}")
    wanted = name.replace("_", "")
    for member in vars(module).values():
        if (
            inspect.isclass(member)
            and member.__module__ == module.__name__
            and (member.__name__.lower() == wanted)
        ):
            return member
    raise TypeError(f"{module.__name__} holds no class named like its file")


def description(name: str) -> str | None:
    """What the part's class says of itself, read without importing it; None where there is none."""
    for kind, folder in KINDS.items():
        if name in names(kind):
            path = pathlib.Path(__file__).parent / folder / f"{name}.py"
            tree = ast.parse(path.read_text(encoding="utf-8"))
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
            own = [c for c in classes if c.name.lower() == name.replace("_", "")]
            return f"--{kind}={name}\n\n{ast.get_docstring(own[0])}"
    return None


def build(kind: str, text: str, **context):
    """Makes the part that `text` names.

    Args:
        kind: a key of `KINDS`, which is also the flag's name.
        text: the spec.
        context: what the run itself knows (steps, classes, …); a part takes what it asks for, and
            a spec cannot set it.

    Raises:
        UserError: no such part or key, a key missing, or a value out of bounds.
    """
    spec = parse(kind, text)
    return construct(kind, find(kind, spec.name), spec, **context)


def construct(kind: str, cls: type, spec: Spec, **context):
    """Makes `cls` from a spec's keys and what the run knows; errors name the flag."""
    wanted = inspect.signature(cls.__init__).parameters
    known = {
        name: parameter
        for name, parameter in wanted.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in context
    }
    given = ", ".join(f"{key}={value!r}" for key, value in spec.arguments.items())
    shown = f"{kind}={spec.name}({given})" if given else f"{kind}={spec.name}"
    for key in spec.arguments:
        if key not in known:
            there_are = ", ".join(known) or "none"
            raise UserError(f"{shown}: there is no key {key!r}; the keys are: {there_are}.")
    missing = [
        name
        for name, parameter in known.items()
        if parameter.default is parameter.empty and name not in spec.arguments
    ]
    if missing:
        raise UserError(f"{shown}: needs {', '.join(missing)}.")
    fitting = {name: value for name, value in context.items() if name in wanted}
    try:
        return cls(**fitting, **spec.arguments)
    except (ValueError, TypeError) as error:
        # Backticks would have the command line show a part's own keys as flags.
        raise UserError(f"{shown}: {str(error).replace('`', '')}") from error
