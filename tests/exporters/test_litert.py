"""The LiteRT model in its interpreter predicts what the Keras model does."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.exporters.litert import Litert
from ftkeras.runs import layout, samples
from tests.exporters import small


def _exporter(run_dir, model, layer, **keys):
    about = {"problem": small.PROBLEM, "pairs": False}
    return Litert(model=model, text_layer=layer, run_dir=run_dir, **{**about, **keys})


@pytest.fixture(scope="module")
def folder(small_run):
    model, layer, run_dir = small_run
    (run_dir / "litert").mkdir()
    (run_dir / "litert" / "LICENSE").touch()  # by a user
    return _exporter(run_dir, model, layer).write()


def _runner(folder):
    content = (folder / "model.tflite").read_bytes()
    return tf.lite.Interpreter(model_content=content).get_signature_runner("token_ids")


def test_any_batch_and_length_gives_keras_logits(folder, small_run):
    run, model = _runner(folder), small_run[0]
    for shape in ((1, 3), (4, 17), (2, 48)):
        ids = np.random.default_rng(0).integers(5, 90, shape).astype(np.int32)
        ids[:, -1] = 0
        logits = run(token_ids=ids)["logits"]
        np.testing.assert_allclose(logits, model({"token_ids": ids}), atol=1e-4)


def test_folder_holds_model_vocabulary_and_record(folder):
    assert {path.name for path in folder.iterdir()} == {
        *("model.tflite", "vocab.txt", "tokenizer_config.json", "labels.txt", "export.json"),
        "LICENSE",
    }
    record = json.loads((folder / "export.json").read_text())
    assert record["largest_difference"] < 1e-5
    assert record["samples"] == len(small.TEXTS)


@pytest.mark.matrix
def test_int8_is_smaller_within_its_bound_and_takes_segments_of_pairs(folder, small_run, tmp_path):
    model, layer, _ = small_run
    small.run_dir(tmp_path, model, layer, small.TEXTS, small.TEXTS[::-1])
    exporter = _exporter(tmp_path, model, layer, pairs=True, quantization="int8")
    pairs = exporter.write()
    record = json.loads((pairs / "export.json").read_text())
    assert 1e-5 < record["logit_change"] <= record["logit_tolerance"] == 0.25
    assert record["tolerance"] is None
    assert f"{record['labels_changed']} of 5 labels change" in exporter.message
    assert record["bytes"] < 0.6 * (folder / "model.tflite").stat().st_size
    details = _runner(pairs).get_input_details()
    assert set(details) == {"token_ids", "segment_ids"}


def test_model_with_other_predictions_is_not_kept(small_run, tmp_path, monkeypatch):
    model, layer, run_dir = small_run
    recorded = samples.read(run_dir)
    recorded[0]["probabilities"] = [0.1, 0.2, 0.7]
    (tmp_path / layout.SAMPLES).write_text("\n".join(map(json.dumps, recorded)))
    content = (run_dir / "litert" / "model.tflite").read_bytes()
    monkeypatch.setattr(Litert, "_convert", lambda self: content)
    with pytest.raises(
        UserError, match=r"export=litert: a probability differs by .* more than tolerance=0\.0001"
    ):
        _exporter(tmp_path, model, layer).write()
    assert not (tmp_path / "litert").exists()


@pytest.mark.matrix
def test_int8_beyond_its_bound_is_not_kept(small_run, tmp_path):
    model, layer, _ = small_run
    small.run_dir(tmp_path, model, layer, small.TEXTS)
    exporter = _exporter(tmp_path, model, layer, quantization="int8", logit_tolerance=1e-4)
    with pytest.raises(UserError, match=r"logits move by .* of their spread.* of 5 labels change"):
        exporter.write()
    assert not (tmp_path / "litert").exists()


@pytest.mark.parametrize(
    "keys", [{"quantization": "int4"}, {"tolerance": 2}, {"logit_tolerance": -1}]
)
def test_bad_key_is_named(small_run, keys):
    ((key, value),) = keys.items()
    with pytest.raises(ValueError, match=f"`{key}`.*{value}"):
        _exporter(small_run[2], *small_run[:2], **keys)
