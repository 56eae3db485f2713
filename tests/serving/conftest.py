"""Fixtures for serving: one tiny model, and one server of it."""

import pathlib
from collections.abc import Iterator

import pytest
import tensorflow as tf

from tests.serving import tiny
from tests.serving.live import Live, live


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> pathlib.Path:
    """Return the folder of the tiny model's versions, 1 and 2; copy it to change it."""
    folder = tmp_path_factory.mktemp("serving")
    tiny.main(folder)
    return folder / "tiny"


@pytest.fixture(scope="session", params=[1, 2], ids=["one", "two"])
def served_numbers(request, tmp_path_factory) -> Iterator[Live]:
    """Serve a model that predicts one number, or two, as a regression's export does."""
    folder, model = tmp_path_factory.mktemp("numbers") / "scores", tiny.Numbers(request.param > 1)
    tf.saved_model.save(model, str(folder / "1"), model.signatures())
    with live(folder) as server:
        yield server


@pytest.fixture(scope="session")
def served_decisions(tmp_path_factory) -> Iterator[Live]:
    """Serve a model that decides several labels."""
    folder, model = tmp_path_factory.mktemp("decisions") / "moods", tiny.Decisions(1)
    tf.saved_model.save(model, str(folder / "1"), model.signatures())
    with live(folder) as server:
        yield server


@pytest.fixture(scope="session")
def served_entities(tmp_path_factory) -> Iterator[Live]:
    """Serve a model that finds a name, as a named entity recognizer's export does."""
    folder, model = tmp_path_factory.mktemp("entities") / "names", tiny.Entities()
    tf.saved_model.save(model, str(folder / "1"), model.signatures())
    with live(folder) as server:
        yield server


@pytest.fixture(scope="session")
def served_answers(tmp_path_factory) -> Iterator[Live]:
    """Serve a model that answers questions, as a question answerer's export does."""
    folder, model = tmp_path_factory.mktemp("answers") / "facts", tiny.Answers()
    tf.saved_model.save(model, str(folder / "1"), model.signatures())
    with live(folder) as server:
        yield server


@pytest.fixture(scope="session")
def served_cosines(tmp_path_factory) -> Iterator[Live]:
    """Serve a model that compares two texts, as an export of sentence embeddings does."""
    folder, model = tmp_path_factory.mktemp("cosines") / "alike", tiny.Cosines(1)
    tf.saved_model.save(model, str(folder / "1"), model.signatures())
    with live(folder) as server:
        yield server


@pytest.fixture(scope="session")
def served(tiny_model: pathlib.Path) -> Iterator[Live]:
    """Serve version 2, and version 1 as `stable`."""
    with live(tiny_model, label=("stable=1",), max_request_bytes=200_000) as server:
        yield server
