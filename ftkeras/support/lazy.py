"""Load the classes of a folder of parts when they are first used."""

import ast
import importlib
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any


def attach(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`, which offer the classes of its modules.

    A class is imported when it is first used, and then is an attribute of the package. `dir` also
    lists what the package's `__all__` has.

    Args:
        package: the package's `__name__`.
    """

    def getattribute(name: str) -> Any:
        return find_class(package, name)

    def directory() -> list[str]:
        module = sys.modules[package]
        return sorted({*vars(module).get("__all__", ()), *class_names(module.__path__)})

    return getattribute, directory


def class_names(folder: Sequence[str]) -> dict[str, str]:
    """Return the module of each part in a package, by the name of its class, without importing it.

    A part's class is named like its module without underscores.

    Args:
        folder: the package's `__path__`.
    """
    modules = {}
    for path in _modules(folder):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        modules |= {name: path.stem for name in names if name.lower() == _lowered(path)}
    return modules


def find_class(package: str, name: str) -> type:
    """Return the class of a part, and make it an attribute of its package.

    Args:
        package: the package's `__name__`.
        name: the class's.

    Raises:
        AttributeError: there is no such part.
    """
    module = sys.modules[package]
    # The import system asks for modules here too; their names are not capitalized.
    paths = _modules(module.__path__) if name[:1].isupper() else []
    for path in paths:
        if _lowered(path) == name.lower():
            member = vars(importlib.import_module(f"{package}.{path.stem}")).get(name)
            if member is not None:
                setattr(module, name, member)
                return member
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


def _modules(folder: Sequence[str]) -> list[pathlib.Path]:
    return sorted(pathlib.Path(folder[0]).glob("[!_]*.py"))


def _lowered(path: pathlib.Path) -> str:
    return path.stem.replace("_", "")
