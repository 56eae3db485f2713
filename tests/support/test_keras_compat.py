"""Private Keras API: where it is used, and that the installed version has it."""

import ast
import pathlib

import keras
import pytest
from keras.src.trainers.epoch_iterator import EpochIterator

import ftkeras
from ftkeras.support import keras_compat, private_keras

PACKAGE = pathlib.Path(ftkeras.__file__).parent
OWN = PACKAGE / "support" / "keras_compat.py"


@pytest.fixture(scope="module")
def private_names() -> set[str]:
    """Private attributes of the Keras objects that the package handles."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(), loss="mse")
    model.optimizer.build(model.trainable_variables)
    objects = [model, model.optimizer, *model.layers, *model.weights, *model.metrics]
    objects.append(EpochIterator)
    names = {name for each in objects for name in (*dir(each), *vars(each))}
    of_datasets = {"_functions", "_inputs"}  # not all: gRPC has a `_metadata` too
    private = {name for name in names if name.startswith("_") and not name.startswith("__")}
    return private | of_datasets


def test_installed_keras_has_everything_that_is_used():
    assert keras_compat.missing() == []


def test_message_names_what_is_missing(monkeypatch):
    gone = private_keras.Private("optimizer", "_gone", "it did something")
    monkeypatch.setattr(keras_compat, "USED", (*keras_compat.USED, gone))
    (message,) = keras_compat.missing()
    assert message.startswith(f"optimizer._gone is not in Keras {keras.__version__}")
    assert message.endswith("It is used because: it did something.")


def _foreign_attributes(path: pathlib.Path) -> set[str]:
    """Private attributes that a module uses and no class or function of the package defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not isinstance(node.ctx, ast.Store)
    } | {
        f"{node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras.src")
    }


def _defined() -> set[str]:
    """Private names that the package itself defines."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path == OWN:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
    return found


def test_no_other_module_uses_private_keras(private_names):
    defined = _defined()
    for path in PACKAGE.rglob("*.py"):
        if path != OWN:
            used = {name for name in _foreign_attributes(path) if not name.startswith("__")}
            assert not [n for n in used if n.startswith("keras.src")], path
            assert not (used & private_names) - defined, path


def test_every_use_is_listed(private_names):
    tree = ast.parse(OWN.read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    listed = {use.attribute for use in private_keras.USED}
    public = {"maybe_merge_call", "get_global_attribute", "set_global_attribute"}
    public |= {"get_keras_mask", "set_keras_mask"}
    assert {name for name in used if name in private_names} == listed - public
