"""Serving imports nothing of the package but itself and `ftkeras.errors`."""

import pathlib

import pytest

from tests import test_layers

MODULES = [path for path in test_layers.MODULES if path.parent.name == "serving"]
# Modules that do not need TensorFlow, so that the client can be used without it.
WITHOUT_TENSORFLOW = (
    *("batcher", "client", "errors", "request_json", "responses", "target", "tensors", "versions"),
    *("_client_rest", "_columns"),
)


def _own_imports(path: pathlib.Path) -> set[str]:
    return {name.split(".")[0] for name in test_layers._own_imports(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_serving_imports_only_itself_and_errors(path):
    assert _own_imports(path) <= {"serving", "errors"}


@pytest.mark.parametrize("name", WITHOUT_TENSORFLOW)
def test_module_does_not_import_tensorflow(name):
    (path,) = (path for path in MODULES if path.stem == name)
    assert not [n for n in test_layers._imports(path) if n.split(".")[0] == "tensorflow"]
