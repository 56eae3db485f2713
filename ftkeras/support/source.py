"""Read a class from its source, without importing it: docstring, arguments and their checks.

Importing a part imports Keras and TensorFlow, which takes seconds. Help pages and the first checks
of a spec read its source instead.
"""

import ast
import copy
import dataclasses
import functools
import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ftkeras.support import bounds

ROOT = pathlib.Path(__file__).parents[1]
# The types that a value written in a spec can be compared with, and their names in messages.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "an integer"),
    "float": ((int, float), "a number"),
    "str": ((str,), "a string"),
    "bool": ((bool,), "True or False"),
    "None": ((type(None),), "None"),
}


@dataclass(frozen=True)
class Argument:
    """A keyword argument of a class.

    Attributes:
        annotation: the source of its type, such as `int | None`.
        default: the source of its default; None if it must be given.
        about: its description in the docstring.
    """

    annotation: str = ""
    default: str | None = None
    about: str = ""


@dataclass(frozen=True)
class ClassSource:
    """A class as its source describes it.

    Attributes:
        docstring: of the class; empty if it has none.
        arguments: the arguments of its constructor, by their name.
        checks: the statements of the constructor that only check arguments.
        names: the constants of its module.
    """

    docstring: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    checks: tuple[ast.stmt, ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict)

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise ValueError, as the constructor would, if it refuses these arguments.

        A check that needs more than these, defaults and constants is skipped, so this finds many
        mistakes but not all.

        Args:
            values: by the argument's name; literals.
        """
        defaults = {}
        for name, argument in self.arguments.items():
            if argument.default is not None:
                defaults |= _literal(name, argument.default)
        names = {**vars(bounds), "bounds": bounds, **self.names, **defaults, **values}
        given = {name for name, value in values.items() if value is not None}
        for statement in self.checks:
            if given & {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}:
                _run_check(statement, names)
        for name, value in values.items():
            check_type(name, value, self.arguments[name].annotation)


@functools.cache
def read(path: pathlib.Path, class_name: str) -> ClassSource:
    """Return the documentation and the checks in the source of a class.

    Args:
        path: its module.
        class_name: its name.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    definition = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    docstring, names = ast.get_docstring(definition) or "", dict(_constants(tree))
    methods = {node.name: node for node in definition.body if isinstance(node, ast.FunctionDef)}
    described = _descriptions(docstring)
    arguments, checks = {}, []
    if init := methods.get("__init__"):
        arguments = {
            given.arg: Argument(
                "" if given.annotation is None else ast.unparse(given.annotation),
                None if default is None else _source(default, names),
                described.get(given.arg, ""),
            )
            for given, default in _parameters(init)
        }
        checks = list(_checks(init, methods))
    for base in _bases(tree, definition):
        checks += base.checks
        names = {**base.names, **names}
        if init is None:
            arguments = {**base.arguments, **arguments}
        for name, argument in arguments.items():
            refers = not argument.about or argument.about.startswith("see `")
            if refers and name in base.arguments:
                arguments[name] = dataclasses.replace(argument, about=base.arguments[name].about)
    return ClassSource(docstring, arguments, tuple(checks), names)


def sections(docstring: str) -> dict[str, list[tuple[str, str]]]:
    r"""Return the sections of a Google docstring: for each title its names with their description.

    >>> sections("Args:\n    a: one\n        line.\n    b: two.")
    {'Args': [('a', 'one line.'), ('b', 'two.')]}
    """
    by_title: dict[str, list[tuple[str, str]]] = {}
    items = None
    for line in docstring.splitlines():
        indent = len(line) - len(line.lstrip())
        if line.strip() and not indent:
            is_title = line.endswith(":") and line[:-1].isalpha()
            items = by_title.setdefault(line[:-1], []) if is_title else None
        elif items is not None and indent == 4:
            name, _, about = line.strip().partition(": ")
            items.append((name, about))
        elif items and line.strip():
            items[-1] = (items[-1][0], f"{items[-1][1]} {line.strip()}")
    return by_title


def _descriptions(docstring: str) -> dict[str, str]:
    """Return the description of each argument; `a, b: text` describes both."""
    described = sections(docstring).get("Args", ())
    return {name: about for names, about in described for name in names.split(", ")}


def _bases(tree: ast.Module, definition: ast.ClassDef) -> Iterator[ClassSource]:
    """Yield the sources of the bases that a class imports by name from this package."""
    bases = {base.id for base in definition.bases if isinstance(base, ast.Name)}
    for path, names in _own_imports(tree):
        for name in bases & set(names):
            module = ast.parse(path.read_text(encoding="utf-8"))
            if any(isinstance(node, ast.ClassDef) and node.name == name for node in module.body):
                yield read(path, name)


def _constants(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """Yield the literals that a module defines, or imports by name from this package."""
    for path, names in _own_imports(tree):
        if any(name.isupper() for name in names):
            known = dict(_constants(ast.parse(path.read_text(encoding="utf-8"))))
            yield from ((name, known[name]) for name in names if name in known)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield from _literal(node.targets[0].id, ast.unparse(node.value)).items()


def _own_imports(tree: ast.Module) -> Iterator[tuple[pathlib.Path, list[str]]]:
    """Yield each module of this package from which names are imported, with the names."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ftkeras."):
            path = ROOT.joinpath(*(node.module or "").split(".")[1:])
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            yield path, [alias.name for alias in node.names]


def _literal(name: str, text: str) -> dict[str, Any]:
    """Return the value of a literal under a name; nothing if the text is no literal."""
    try:
        return {name: ast.literal_eval(text)}
    except (ValueError, SyntaxError, TypeError):
        return {}


def _source(node: ast.expr, names: Mapping[str, Any]) -> str:
    """Return the source of a default, with a constant's value instead of its name."""
    if isinstance(node, ast.Name) and node.id in names:
        return repr(names[node.id])
    return ast.unparse(node)


def _parameters(init: ast.FunctionDef) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yield the parameters after `self`, each with its default."""
    given, defaults = init.args.args[1:], init.args.defaults
    yield from zip(given, [None] * (len(given) - len(defaults)) + defaults, strict=True)
    yield from zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)


def _checks(init: ast.FunctionDef, methods: Mapping[str, ast.FunctionDef]) -> Iterator[ast.stmt]:
    """Yield the statements that only check arguments: calls of `bounds`, and `if`s that raise.

    Checks in a method that is called as `self.method()` are included, with `self.x` as `x`. Nothing
    is yielded after an argument gets another value.
    """
    arguments = {argument.arg for argument, _ in _parameters(init)}
    for statement in init.body:
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        if any(isinstance(node.ctx, ast.Store) and node.id in arguments for node in names):
            return
        method = methods.get(ast.unparse(statement).removeprefix("self.").removesuffix("()"))
        for one in [statement] if method is None else method.body:
            plain = _WithoutSelf().visit(copy.deepcopy(one))
            if isinstance(plain, ast.If) and isinstance(plain.body[0], ast.Raise):
                yield plain
            elif isinstance(plain, ast.Expr) and isinstance(plain.value, ast.Call):
                yield from _calls_of_bounds(plain.value)


def _calls_of_bounds(call: ast.Call) -> Iterator[ast.stmt]:
    """Yield a call for each keyword of `bounds.positive(a=a, b=b)`; none for other calls."""
    name = ast.unparse(call.func).removeprefix("bounds.")
    if name in vars(bounds):
        for keyword in call.keywords:
            one = ast.Expr(ast.Call(call.func, call.args, [keyword]))
            yield ast.fix_missing_locations(ast.copy_location(one, call))


class _WithoutSelf(ast.NodeTransformer):
    """Replace `self.x` by `x`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return self.generic_visit(node)


def _run_check(statement: ast.stmt, names: Mapping[str, Any]) -> None:
    """Run a statement of this package's own source; let only ValueErrors pass."""
    code = compile(ast.Module([statement], []), "check", "exec")
    try:
        exec(code, dict(names))
    except ValueError:
        raise
    except Exception:  # it needs a name that only the run knows
        return


def check_type(name: str, value: Any, annotation: str) -> None:
    """Raise ValueError if a value is of none of the types that a simple annotation names."""
    kinds = [kind.strip() for kind in annotation.split("|")]
    if not set(kinds) <= set(_TYPES):
        return
    for kind in kinds:
        wrong_bool = isinstance(value, bool) and kind != "bool"
        if isinstance(value, _TYPES[kind][0]) and not wrong_bool:
            return
    wanted = " or ".join(_TYPES[kind][1] for kind in kinds)
    raise ValueError(f"`{name}` must be {wanted}. Received: {value!r}.")


def attributes(path: pathlib.Path) -> dict[str, str]:
    """Return the source of the values that classes in a file assign to their attributes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    values = {}
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for node in (node for node in cls.body if isinstance(node, ast.Assign)):
            names = (target.id for target in node.targets if isinstance(target, ast.Name))
            values.update(dict.fromkeys(names, ast.unparse(node.value)))
    return values
