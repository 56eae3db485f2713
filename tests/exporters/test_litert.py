"""The LiteRT model in its interpreter says what Keras says."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.exporters.litert import Litert
from ftkeras.runs import layout, samples
from tests.exporters import small


def _exporter(run_dir, model, layer, **keys):
    about = {"labels": small.LABELS, "pairs": False}
    return Litert(model=model, text_layer=layer, run_dir=run_dir, **{**about, **keys})


@pytest.fixture(scope="module")
def folder(made):
    model, layer, run_dir = made
    return _exporter(run_dir, model, layer).write()


def _runner(folder):
    content = (folder / "model.tflite").read_bytes()
    return tf.lite.Interpreter(model_content=content).get_signature_runner("token_ids")


def test_any_batch_and_length_is_the_same_in_the_interpreter(folder, made):
    run, model = _runner(folder), made[0]
    for shape in ((1, 3), (4, 17), (2, 48)):
        ids = np.random.default_rng(0).integers(5, 90, shape).astype(np.int32)
        ids[:, -1] = 0
        logits = run(token_ids=ids)["logits"]
        np.testing.assert_allclose(logits, model({"token_ids": ids}), atol=1e-4)


def test_folder_holds_model_vocabulary_and_record(folder):
    assert {path.name for path in folder.iterdir()} == {
        *("model.tflite", "vocab.txt", "tokenizer_config.json", "labels.txt", "export.json")
    }
    record = json.loads((folder / "export.json").read_text())
    assert record["largest_difference"] < 1e-5
    assert record["samples"] == len(small.TEXTS)


def test_pairs_have_their_segments_and_bytes_are_smaller(folder, made, tmp_path):
    model, layer, _ = made
    small.run_dir(tmp_path, model, layer, small.TEXTS, small.TEXTS[::-1])
    pairs = _exporter(tmp_path, model, layer, pairs=True, quantization="int8").write()
    record = json.loads((pairs / "export.json").read_text())
    assert 1e-5 < record["largest_difference"] < 0.1
    assert record["bytes"] < 0.6 * (folder / "model.tflite").stat().st_size
    details = _runner(pairs).get_input_details()
    assert set(details) == {"token_ids", "segment_ids"}


def test_model_that_says_something_else_is_not_kept(made, tmp_path, monkeypatch):
    model, layer, run_dir = made
    kept = samples.read(run_dir)
    kept[0]["probabilities"] = [0.1, 0.2, 0.7]
    (tmp_path / layout.SAMPLES).write_text("\n".join(map(json.dumps, kept)))
    content = (run_dir / "litert" / "model.tflite").read_bytes()
    monkeypatch.setattr(Litert, "_converted", lambda self: content)
    with pytest.raises(UserError, match="in the interpreter a probability is .* over 0.0001"):
        _exporter(tmp_path, model, layer).write()
    assert not (tmp_path / "litert").exists()


@pytest.mark.parametrize("keys", [{"quantization": "int4"}, {"tolerance": 2}])
def test_bad_key_is_named(made, keys):
    ((key, value),) = keys.items()
    with pytest.raises(ValueError, match=f"`{key}`.*{value}"):
        _exporter(made[2], *made[:2], **keys)
