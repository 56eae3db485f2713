"""What the room of serving may know of the house."""

import pytest

from tests import test_layers

ROOM = [path for path in test_layers.MODULES if test_layers._folder(path) == "serving"]
WIRE = ("answers", "batcher", "documents", "refused", "target", "tensors", "versions")


@pytest.mark.parametrize("path", ROOM, ids=lambda path: path.stem)
def test_serving_imports_itself_and_errors(path):
    used = {name.split(".")[0] for name in test_layers._own_imports(path)}
    assert used <= {"serving", "errors"}


@pytest.mark.parametrize("name", WIRE)
def test_what_needs_no_tensorflow_has_none(name):
    (path,) = (path for path in ROOM if path.stem == name)
    assert not [n for n in test_layers._imports(path) if n.split(".")[0] == "tensorflow"]
