"""Hash what Python files do, not how they are written."""

import ast
import hashlib
import pathlib
from collections.abc import Iterable

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_digest(paths: Iterable[pathlib.Path]) -> str:
    """Return a hash of Python files that ignores comments, docstrings and formatting.

    A version number would need a developer to remember it; a hash of the bytes would change with
    every comment.

    Args:
        paths: the files, in an order that does not change.
    """
    digest = hashlib.sha256()
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
        digest.update(hashlib.sha256(ast.dump(tree).encode()).digest())
    return digest.hexdigest()
