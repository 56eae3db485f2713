"""The commands in the table of evidence run the tests that they name."""

import ast
import pathlib
import re
import shlex
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`pytest (.+?)`", PAGE)))
PYTEST = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
OPTIONS = PYTEST["ini_options"]
MARKERS = {marker.partition(":")[0] for marker in OPTIONS["markers"]}
(DEFAULT,) = (option[3:] for option in OPTIONS["addopts"] if option.startswith("-m "))


def _marks(node: ast.AST) -> set[str]:
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)} & MARKERS


def _tests(file: pathlib.Path) -> dict[str, set[str]]:
    """Return the names of the tests in a file, each with the markers of all of its cases."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    of_all = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            of_all |= _marks(node.value)
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            # The marks within `parametrize` are those of single cases.
            direct = (one for one in node.decorator_list if "parametrize" not in ast.unparse(one))
            found[node.name] = of_all.union(*map(_marks, direct))
    return found


def _is_chosen(expression: str, marks: set[str]) -> bool:
    return not expression or eval(expression, {}, {name: name in marks for name in MARKERS})


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs_the_tests_that_it_names(command):
    words = shlex.split(command)
    given = {flag: words[words.index(flag) + 1] for flag in ("-m", "-k") if flag in words}
    paths = [word for word in words if word.startswith("tests/")]
    assert paths
    for path in paths:
        place = ROOT / path
        assert place.exists(), path
        files = sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
        named = {
            f"{file.name}::{name}": _is_chosen(given.get("-m", DEFAULT), marks)
            for file in files
            for name, marks in _tests(file).items()
            if given.get("-k", "") in name
        }
        left_out = [name for name, chosen in named.items() if not chosen]
        assert len(left_out) < len(named), f"{path}: no test is run"
        assert "-m" in given or not left_out, path
