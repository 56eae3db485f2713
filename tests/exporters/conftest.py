"""A small model that was exported once, for all that look at it."""

import pytest

from tests.exporters import small


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A model, its text layer and a run's folder."""
    model, layer = small.model(), small.text_layer()
    return model, layer, small.run_dir(tmp_path_factory.mktemp("run"), model, layer, small.TEXTS)


@pytest.fixture(scope="session")
def version(made):
    """An export with all signatures that a task of single texts can have."""
    model, layer, run_dir = made
    return small.exporter(run_dir, model, layer, explain=True, steps=4).write()
