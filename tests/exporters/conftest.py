"""A small model and its export, made once for all tests of exports."""

import pytest

from tests import shared_folder
from tests.exporters import small


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Return a model, its text layer and a run's folder."""
    model, layer = small.model(), small.text_layer()
    return model, layer, small.run_dir(tmp_path_factory.mktemp("run"), model, layer, small.TEXTS)


@pytest.fixture(scope="session")
def version(made, tmp_path_factory):
    """Export all signatures that a task of single texts can have; all workers share the folder."""
    model, layer, _ = made

    def make(folder):
        run_dir = small.run_dir(folder, model, layer, small.TEXTS)
        small.exporter(run_dir, model, layer, explain=True, steps=4).write()

    return shared_folder.make_once(tmp_path_factory, "small_export", make) / "served" / "1"
