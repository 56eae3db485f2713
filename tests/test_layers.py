"""The import rule of the house, read off the syntax tree: imports go down only."""

import ast
import pathlib

import pytest

import ftkeras

PACKAGE = pathlib.Path(ftkeras.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FOUNDATION = {
    *("accelerator", "bounds", "draws", "errors", "files", "pretrained", "report", "samples"),
}
PARTS = {
    *("averages", "batching", "encoders", "exporters", "groupings", "heads", "losses"),
    *("optimizers", "oracles", "policies", "regularizers", "schedules", "sources"),
    *("strategies", "text", "training", "truncations"),
}
PURE_KERAS = {"encoders", "heads", "losses", "schedules", "regularizers"}


def _imports(path: pathlib.Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _room(path: pathlib.Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def _rooms_used(path: pathlib.Path) -> set[str]:
    used = {name.split(".")[1] for name in _imports(path) if name.startswith("ftkeras.")}
    return used - {"__version__"}


def _ids(path: pathlib.Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", [p for p in MODULES if _room(p) in PARTS], ids=_ids)
def test_part_imports_only_its_own_folder(path):
    assert _rooms_used(path) <= FOUNDATION | {_room(path)}


@pytest.mark.parametrize("path", [p for p in MODULES if _room(p) in PURE_KERAS], ids=_ids)
def test_maths_never_imports_tensorflow(path):
    assert not [name for name in _imports(path) if name.split(".")[0] == "tensorflow"]


@pytest.mark.parametrize("path", [p for p in MODULES if _room(p) == "tasks"], ids=_ids)
def test_task_imports_only_sources_and_corpora(path):
    assert _rooms_used(path) <= FOUNDATION | {"tasks", "sources", "corpora"}


@pytest.mark.parametrize(
    "name",
    [
        *("catalog", "config", "config_tune", "errors", "files", "flags", "main"),
        *("search/ranges", "search/space"),
    ],
)
def test_front_of_the_house_needs_no_framework(name):
    third_party = {n.split(".")[0] for n in _imports(PACKAGE / f"{name}.py")}
    heavy = {
        "tensorflow",
        "keras",
        "keras_tuner",
        "numpy",
        "transformers",
        "sklearn",
        "tensorflow_datasets",
    }
    assert not third_party & heavy


@pytest.mark.parametrize("path", [p for p in MODULES if _room(p) not in ("flags",)], ids=_ids)
def test_only_flags_knows_absl(path):
    assert not [name for name in _imports(path) if name.split(".")[0] == "absl"]


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_file_is_no_longer_than_one_would_read(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
