"""`import ftkeras` loads nothing heavy, and offers the documented names."""

import inspect
import pathlib
import subprocess
import sys
import typing

import keras
import pytest

import ftkeras
from ftkeras.api import settings
from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.pretrain import PretrainConfig
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig

PAGE = pathlib.Path(ftkeras.__file__).parents[1] / "docs" / "python.md"
CODE = """
import sys
before = set(sys.modules)
import ftkeras
assert "train" in dir(ftkeras)
imported = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(imported - sys.stdlib_module_names))
"""


def test_import_imports_nothing_but_the_standard_library():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ftkeras']"


def test_every_public_name_exists_and_is_documented():
    page = PAGE.read_text(encoding="utf-8")
    for name in ftkeras.__all__:
        value = getattr(ftkeras, name)
        assert name == "__version__" or inspect.getdoc(value), name
    functions = [name for name in ftkeras.__all__ if inspect.isfunction(getattr(ftkeras, name))]
    assert [name for name in functions if f"ftkeras.{name}(" not in page] == []


def test_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="'ftkeras' has no attribute 'trian'"):
        ftkeras.trian  # noqa: B018


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        (Config, settings.TrainSettings),
        (CrossvalidateConfig, settings.CrossvalidateSettings),
        (PretrainConfig, settings.PretrainSettings),
        (TuneConfig, settings.TuneSettings),
    ],
)
def test_annotated_arguments_are_the_flags(kind, listed):
    shorter = {"train", "validation"}  # and `test`, which is a flag too
    assert set(typing.get_type_hints(listed)) - shorter == set(flagfile.value_types(kind)) - {
        "data"
    }


def test_help_names_the_arguments():
    parameters = inspect.signature(ftkeras.train).parameters
    assert list(parameters)[:2] == ["data", "verbose"]
    assert {"encoder", "learning_rate", "policy"} < set(parameters)


def test_no_two_classes_have_one_name_in_keras_files():
    ftkeras.register_keras_classes()
    classes = [
        one
        for name, module in list(sys.modules.items())
        if name.startswith("ftkeras.")
        for one in vars(module).values()
        if inspect.isclass(one) and one.__module__ == name
    ]
    names = {one: keras.saving.get_registered_name(one) for one in classes}
    registered = {one: name for one, name in names.items() if name.startswith("ftkeras>")}
    assert len(registered) > 20
    for one, name in registered.items():
        assert keras.saving.get_registered_object(name) is one, name
