"""One tiny model, and one server of it, for all tests of serving."""

import pathlib
from collections.abc import Iterator

import pytest

from tests.serving import tiny
from tests.serving.live import Live, live


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> pathlib.Path:
    """The folder of the tiny model's versions, 1 and 2; copy it to change it."""
    folder = tmp_path_factory.mktemp("serving")
    tiny.main(folder)
    return folder / "tiny"


@pytest.fixture(scope="session")
def served(tiny_model) -> Iterator[Live]:
    """A server of version 2, and of version 1 as `stable`."""
    with live(tiny_model, label=("stable=1",), max_request_bytes=200_000) as server:
        yield server
