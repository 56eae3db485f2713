"""File names of run folders are spelled in one place."""

import ast
import pathlib

import pytest

import ftkeras
from ftkeras.runs import layout

PACKAGE = pathlib.Path(ftkeras.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != pathlib.Path(layout.__file__))
NAMES = {
    name
    for value in vars(layout).values()
    for name in (value.values() if isinstance(value, dict) else [value])
    if isinstance(name, str) and pathlib.Path(name).suffix in (".cfg", ".json", ".jsonl", ".csv")
} | {layout.WEIGHTS, layout.LOG}


def _strings(path: pathlib.Path) -> list[str]:
    """Return a module's string constants except its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [n.value for n in constants if isinstance(n.value, str) and id(n) not in alone]


def test_the_names_are_those_of_the_files_that_users_know():
    assert {"run.cfg", "metrics.json", "predictions.jsonl", "search.cfg"} <= NAMES
    assert len(NAMES) >= 15


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_spells_them(path):
    words = {word.strip("'\"()").rstrip(".,;:") for text in _strings(path) for word in text.split()}
    found = {name for word in words for name in NAMES if word.rpartition("/")[2] == name}
    assert not found


def test_restart_removes_all_that_a_run_writes_but_its_log(finished_run):
    written = {path.name for path in (finished_run / "run").iterdir()}
    assert layout.TOKEN_COUNTS in written
    assert written - set(layout.OF_RUN) <= {layout.AUDIT_LOG, layout.LOCK}
