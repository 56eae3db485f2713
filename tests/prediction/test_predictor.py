"""Predictions in this process: in the order of the texts, whatever the batches are."""

import gc
import weakref

import numpy as np
import pytest

from ftkeras.errors import UserError
from ftkeras.prediction import _c_session, _python_session
from ftkeras.prediction.predictor import Predictor
from ftkeras.problems.classification import Classification
from ftkeras.reports import predictions
from ftkeras.runs import signatures
from ftkeras.serving.model_folder import find_model, find_versions


def test_each_text_gets_its_own_prediction(finished_run):
    predictor = Predictor(finished_run / "saved_models" / "quickstart" / "1")
    texts = ["A waste of time, and of money, and of a fine cast.", "Great.", "", "Dull and slow."]
    alone = [predictor.predict([text])[0] for text in texts]
    assert len({found["score"] for found in alone}) == len(texts)
    for together in (predictor.predict(texts, batch_size=size) for size in (1, 3, 4)):
        for found, expected in zip(together, alone, strict=True):
            assert found["label"] == expected["label"]
            assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)


def test_each_batch_is_reported(finished_run):
    predictor = Predictor(finished_run / "saved_models" / "quickstart" / "1")
    counts: list[int] = []
    predictor.predict(["Great.", "Dull.", "Slow."], batch_size=2, on_batch=counts.append)
    assert counts == [2, 1]


def test_a_folder_without_a_model_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"none")
    with pytest.raises(UserError, match=f"^model={tmp_path} can't be loaded: "):
        Predictor(tmp_path)


def test_c_api_and_python_give_the_same_answers(finished_run):
    folder = finished_run / "saved_models" / "quickstart" / "1"
    signature = signatures.read_signatures(folder)["serving_default"]
    texts = [b"Worth every minute.", b"", "Naïve \u2603 電影".encode(), b"\xff" * 40, b"a\0b"]
    by_c = _c_session.Session(folder, signature).run({"text": texts})
    by_python = _python_session.Session(folder, "serving_default").run({"text": texts})
    assert by_c["label"] == by_python["label"]
    for name in ("score", "probabilities"):
        np.testing.assert_allclose(by_c[name], by_python[name], atol=1e-6)


def test_models_are_freed_with_their_predictor(finished_run):
    predictor = Predictor(finished_run / "saved_models" / "quickstart" / "1")
    predictor.predict(["a"])
    held = [weakref.ref(value) for value in (predictor, predictor._session("serving_default"))]
    del predictor
    gc.collect()
    assert [reference() for reference in held] == [None, None]


def test_single_texts_and_pairs_are_not_confused(finished_run):
    predictor = Predictor(finished_run / "saved_models" / "quickstart" / "1")
    with pytest.raises(UserError, match="takes single texts, not pairs"):
        predictor.predict(["a"], ["b"])


def test_damaged_variables_are_reported_when_the_model_is_used(copy_of_finished_run):
    folder = copy_of_finished_run / "saved_models" / "quickstart" / "1"
    (folder / "variables" / "variables.index").write_bytes(b"none")
    with pytest.raises(UserError, match=f"^model={folder} can't be loaded: "):
        Predictor(folder).predict(["a"])


def _model(folder):
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()


def test_the_newest_version_is_found(tmp_path):
    for version in ("9", "10"):
        _model(tmp_path / version)
    assert find_model(str(tmp_path), "predict") == tmp_path / "10"
    assert find_model(str(tmp_path / "9"), "predict") == tmp_path / "9"
    assert find_versions(str(tmp_path), "serve") == (tmp_path, None)
    assert find_versions(str(tmp_path / "9"), "serve") == (tmp_path, 9)


def test_a_newer_number_without_a_model_is_skipped_and_told(tmp_path, caplog):
    """As while a version is being copied there."""
    _model(tmp_path / "9")
    (tmp_path / "10").mkdir()
    assert find_model(str(tmp_path), "predict") == tmp_path / "9"
    assert f"version {tmp_path / '10'} is skipped, as it has no saved_model.pb" in caplog.text


@pytest.mark.parametrize("find", [find_model, find_versions])
def test_a_missing_model_is_named(tmp_path, find):
    with pytest.raises(UserError, match="^serve needs `model`"):
        find(None, "serve")
    with pytest.raises(UserError, match=f"^model={tmp_path} holds no"):
        find(str(tmp_path), "serve")


def test_lines_of_predictions():
    found = {"label": "good", "score": 0.75, "probabilities": [0.25, 0.75]}
    problem = Classification(labels=("bad", "good"))
    assert predictions.line(problem, "a\nb\ud800", found) == "good\t0.7500\ta b?"
    hostile = "a\r\nb\rc\x1b[2J\u2028d\x85e\tf"
    assert predictions.line(problem, hostile, found) == "good\t0.7500\ta b c [2J d e\tf"
    assert predictions.json_line({"text": "a\udcff"}, found).endswith('"text": "a?"}')
    assert predictions.json_line({"text": "ä"}, found) == (
        '{"label": "good", "score": 0.75, "probabilities": [0.25, 0.75], "text": "ä"}'
    )
