"""Load the classes of a folder of parts when they are first used."""

import ast
import importlib
import pathlib
from collections.abc import Sequence


def class_names(folder: Sequence[str]) -> dict[str, str]:
    """Return the module of each part in a package, by the name of its class, without importing it.

    A part's class is named like its module without underscores.

    Args:
        folder: the package's `__path__`.
    """
    found = {}
    for path in sorted(pathlib.Path(folder[0]).glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        wanted = path.stem.replace("_", "")
        found |= {name: path.stem for name in names if name.lower() == wanted}
    return found


def find_class(package: str, folder: Sequence[str], name: str) -> type:
    """Return the class of a part; what a package's `__getattr__` does.

    Args:
        package: the package's `__name__`.
        folder: its `__path__`.
        name: the class's.

    Raises:
        AttributeError: there is no such part.
    """
    # The import system asks for modules here too; their names are not capitalized.
    modules = class_names(folder) if name[:1].isupper() else {}
    if name not in modules:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{package}.{modules[name]}"), name)
