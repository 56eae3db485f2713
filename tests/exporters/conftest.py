"""Fixtures for exporters: a small model and its run, exported once."""

import pathlib

import pytest

from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner
from tests import shared_folder
from tests.exporters import small

SmallRun = tuple[FineTuner, TextLayer, pathlib.Path]


@pytest.fixture(scope="session")
def small_run(tmp_path_factory) -> SmallRun:
    """Return a model, its text layer and a run's folder."""
    model, layer = small.model(), small.text_layer()
    return model, layer, small.run_dir(tmp_path_factory.mktemp("run"), model, layer, small.TEXTS)


@pytest.fixture(scope="session")
def version(small_run: SmallRun, tmp_path_factory) -> pathlib.Path:
    """Return an export with all signatures for single texts; all workers share it."""
    model, layer, _ = small_run

    def make(folder: pathlib.Path) -> None:
        run_dir = small.run_dir(folder, model, layer, small.TEXTS)
        small.exporter(run_dir, model, layer, explain=True, steps=4).write()

    return shared_folder.make_once(tmp_path_factory, "small_export", make) / "served" / "1"
