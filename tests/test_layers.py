"""The import rules of the package, read off the syntax tree; see "How it is built"."""

import ast
import pathlib

import pytest

import ftkeras

PACKAGE = pathlib.Path(ftkeras.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# A folder imports folders that stand before it, never one behind it.
ORDER = (
    *("errors", "support", "catalog", "config", "corpora", "statistics", "checkpoints", "text"),
    *("maskings", "phases"),
    *("losses", "schedules", "regularizers", "heads", "encoders", "optimizers", "averages"),
    "privacy",
    *(
        "policies",
        "strategies",
        "trackers",
        "figures",
        "problems",
        "training",
        "callbacks",
        "data",
        "tasks",
        "runs",
        "explanations",
        "experiment",
        "exporters",
    ),
    *(
        "processes",
        "search",
        "serving",
        "prediction",
        "teachers",
        "selection",
        "beam",
        "reports",
        "pages",
        "workflows",
        "dossiers",
        "verbs",
        "api",
        "sklearn",
        "cli",
        "main",
        "__main__",
        "__init__",
    ),
)
# Folders of parts that a flag names. A part knows its own folder and these foundations only.
PARTS = (
    *("averages", "encoders", "heads", "losses", "maskings", "optimizers", "policies"),
    *("phases", "privacy", "regularizers"),
    *("schedules", "strategies", "text", "trackers"),
)
FOUNDATIONS = {"errors", "support", "checkpoints"}
PURE_KERAS = ("encoders", "heads", "losses", "schedules", "regularizers")
# Folders that a machine without TensorFlow, or a fast `--help`, must be able to import.
STANDARD_LIBRARY_ONLY = ("errors", "catalog", "config", "cli", "main", "__init__", "__main__")
HEAVY = {
    *("tensorflow", "keras", "keras_tuner", "numpy", "transformers", "sklearn"),
    *("tensorflow_datasets", "scipy", "matplotlib"),
}


def _imports(path: pathlib.Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _own_imports(path: pathlib.Path) -> set[str]:
    """Return what a module imports of this package, such as `text.layer.TextLayer`."""
    found = {name for name in _imports(path) if name.startswith("ftkeras.")}
    return {name.removeprefix("ftkeras.") for name in found} - {"__version__"}


def _folder(path: pathlib.Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _modules(*folders: str) -> list[pathlib.Path]:
    return [path for path in MODULES if _folder(path) in folders]


def _ids(path: pathlib.Path) -> str:
    return str(path.relative_to(PACKAGE))


def _calls(path: pathlib.Path, name: str) -> list[int]:
    """Return the lines on which a module calls a function of this name."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return [c.lineno for c in calls if isinstance(c.func, ast.Name) and c.func.id == name]


def test_the_top_level_holds_at_most_six_modules():
    assert len(list(PACKAGE.glob("*.py"))) <= 6


def test_every_folder_has_its_place():
    assert {_folder(path) for path in MODULES} == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_imports_point_downwards(path):
    allowed = ORDER[: ORDER.index(_folder(path)) + 1]
    assert {name.split(".")[0] for name in _own_imports(path)} <= set(allowed)


@pytest.mark.parametrize("path", _modules(*PARTS), ids=_ids)
def test_a_part_knows_its_own_folder_and_the_foundations(path):
    used = {name.split(".")[0] for name in _own_imports(path)}
    assert used <= FOUNDATIONS | {_folder(path)}


@pytest.mark.parametrize("path", _modules("tasks"), ids=_ids)
def test_a_task_knows_its_problem_sources_and_corpora(path):
    used = {name.split(".")[0] for name in _own_imports(path)}
    assert used <= FOUNDATIONS | {"tasks", "problems", "data", "corpora"}


@pytest.mark.parametrize("path", _modules("verbs"), ids=_ids)
def test_no_verb_imports_a_verb(path):
    assert not [name for name in _own_imports(path) if name.startswith("verbs.")]


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_no_private_name_crosses_folders(path):
    own = path.relative_to(PACKAGE).parent.parts
    for name in _own_imports(path):
        parts = name.split(".")
        private = next((n for n, part in enumerate(parts) if part.startswith("_")), None)
        assert private is None or tuple(parts[:private]) == own, name


@pytest.mark.parametrize("path", _modules(*PURE_KERAS), ids=_ids)
def test_maths_never_imports_tensorflow(path):
    assert not [name for name in _imports(path) if name.split(".")[0] == "tensorflow"]


@pytest.mark.parametrize("path", _modules(*STANDARD_LIBRARY_ONLY), ids=_ids)
def test_the_command_line_needs_no_framework_to_start(path):
    top_level = ast.Module(ast.parse(path.read_text(encoding="utf-8")).body, [])
    imported = [n for n in top_level.body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {a.name for n in imported if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in imported if isinstance(n, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & HEAVY


@pytest.mark.parametrize("path", [p for p in MODULES if _folder(p) != "cli"], ids=_ids)
def test_only_the_command_line_knows_absl(path):
    assert not [name for name in _imports(path) if name.split(".")[0] == "absl"]


# Scripts that run in a process of their own, and whose output another process reads.
SCRIPTS = ("corpora/make_reviews.py", "exporters/_run_saved_model.py")


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if _folder(p) not in ("cli", "main") and _ids(p) not in SCRIPTS],
    ids=_ids,
)
def test_only_the_command_line_prints(path):
    assert not _calls(path, "print")


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_file_is_no_longer_than_one_would_read(path):
    most = 80 if _folder(path) == "verbs" else 350
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most


PROBLEMS = {p.stem for p in _modules("problems") if p.stem[0] != "_"}
# They name the problem of a task, and the task of a table.
NAMES_PROBLEMS = ("tasks", "problems")


def _is_asking(node: ast.AST) -> bool:
    """Return whether code compares something with a problem's name, or asks for its class."""
    if isinstance(node, ast.Compare):
        parts = ast.walk(node)
        return any(isinstance(part, ast.Constant) and part.value in PROBLEMS for part in parts)
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    if not is_call or node.func.id not in ("isinstance", "issubclass"):
        return False
    classes = {name.replace("_", "") for name in PROBLEMS}
    named = {part.id.lower() for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)}
    return bool(named & classes)


@pytest.mark.parametrize("path", [p for p in MODULES if _folder(p) not in NAMES_PROBLEMS], ids=_ids)
def test_nobody_asks_which_problem_it_has(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if _is_asking(node)]
    if _ids(path) != "data/task.py":  # the default
        used = {name.split(".")[1] for name in _own_imports(path) if name.startswith("problems.")}
        assert not used & PROBLEMS
