"""Every package that is imported is declared in pyproject.toml."""

import ast
import pathlib
import re
import sys
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Distributions whose name is not that of the module they install, with dashes for underscores.
DISTRIBUTIONS = {
    "absl": "absl-py",
    "cyclonedx": "cyclonedx-python-lib",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "markdown_it": "markdown-it-py",
    "sklearn": "scikit-learn",
    "tensorflow_serving": "tensorflow-serving-api",
    "yaml": "pyyaml",
}
# Used only if the user has installed them, and required by no extra.
USED_IF_INSTALLED = {"spacy"}
# Tests that need one of these are skipped without it; statsmodels, and bert and official of the
# authors of TensorFlow checkpoints, are for scripts run by hand, as captum is.
OPTIONAL = {
    "apache-beam",
    "bert",
    "captum",
    "faker",
    "cleanlab",
    "jax",
    "official",
    "opacus",
    "seqeval",
    "statsmodels",
    "torch",
    "wandb",
}


def _imports(path: pathlib.Path) -> set[str]:
    """Return the modules that a file imports, at its top level or within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _distributions(folder: str) -> dict[str, str]:
    """Return the distributions that the files of a folder import, each with one such file."""
    found = {}
    for path in (
        [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
    ):
        for name in _imports(path):
            top = name.split(".")[0]
            if top in sys.stdlib_module_names or top in ("ftkeras", "tests", "benchmarks"):
                continue
            named = next(
                (d for m, d in DISTRIBUTIONS.items() if f"{name}.".startswith(f"{m}.")), ""
            )
            found[named or top.replace("_", "-")] = str(path.relative_to(ROOT))
    return found


def _declared(*extras: str) -> set[str]:
    """Return the distributions that the package and these extras require."""
    names = set()
    for requirement in (*PROJECT["dependencies"], *(r for e in extras for r in EXTRAS[e])):
        name, nested = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", requirement).groups()
        if name == "ftkeras":
            names |= _declared(*nested.split(","))
        else:
            names.add(name.lower().replace("_", "-"))
    return names


def test_imports_of_the_package_are_declared():
    declared = _declared(*EXTRAS) | USED_IF_INSTALLED
    missing = {d: path for d, path in _distributions("ftkeras").items() if d not in declared}
    assert missing == {}


def test_imports_of_the_tests_are_declared_in_the_test_extra():
    declared = _declared("test") | OPTIONAL
    missing = {d: path for d, path in _distributions("tests").items() if d not in declared}
    assert missing == {}


@pytest.mark.parametrize("extra", ["client", "grpc", "serve", "onnx", "plot", "tune"])
def test_tests_install_every_extra_that_they_need(extra):
    assert _declared(extra) <= _declared("test")


@pytest.mark.parametrize(
    ("modules", "extra"),
    [
        (("serving/_client_rest.py",), "client"),
        (("serving/_client_grpc.py",), "grpc"),
        (("serving/rest.py", "serving/service.py", "serving/metrics.py"), "serve"),
        (("serving/model.py", "serving/warmup.py", "serving/settings.py"), "serve"),
        (("exporters/onnx.py",), "onnx"),
    ],
)
def test_extra_declares_what_its_modules_import(modules, extra):
    imported = {name for module in modules for name in _distributions(f"ftkeras/{module}")}
    assert imported <= _declared(extra)


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_extra_is_documented(extra):
    assert f"`{extra}`" in (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
