"""The ONNX model in onnxruntime predicts what the Keras model does."""

import json

import numpy as np
import pytest

from ftkeras.encoders._transformer import ACTIVATIONS
from ftkeras.errors import UserError
from ftkeras.exporters import _onnx_graph, _token_ids
from ftkeras.exporters.litert import Litert
from ftkeras.exporters.onnx import Onnx
from ftkeras.runs import layout, samples
from tests.exporters import small

onnx = pytest.importorskip("onnx", reason="needs pip install 'ftkeras[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install 'ftkeras[onnx]'")

IDS = np.array([[2, 30, 7, 3, 0, 0], [2, 9, 9, 41, 8, 3]], np.int32)


def _run(model, segments=False, **inputs):
    content = _onnx_graph.build(_onnx_graph.Graph(onnx), model, small.PROBLEM, segments=segments)
    onnx.checker.check_model(content, full_check=True)
    session = onnxruntime.InferenceSession(content.SerializeToString())
    return session.run(["logits"], inputs)[0]


@pytest.mark.parametrize("pooling", ["pooled", "cls", "mean"])
def test_every_pooling_gives_keras_logits(pooling):
    model = small.model(pooling)
    np.testing.assert_allclose(_run(model, token_ids=IDS), model({"token_ids": IDS}), atol=1e-4)


def test_row_of_padding_has_keras_logits_too():
    model, ids = small.model("mean"), np.append(IDS, np.zeros((1, 6), np.int32), axis=0)
    np.testing.assert_allclose(_run(model, token_ids=ids), model({"token_ids": ids}), atol=1e-4)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_gives_keras_logits(activation):
    model = small.model(layers=1, activation=activation)
    np.testing.assert_allclose(_run(model, token_ids=IDS), model({"token_ids": IDS}), atol=1e-4)


def test_segments_of_pairs_are_used():
    model, inputs = small.model(), {"token_ids": IDS, "segment_ids": (IDS > 8).astype(np.int32)}
    given = _run(model, segments=True, **inputs)
    np.testing.assert_allclose(given, model(inputs), atol=1e-4)
    assert np.abs(given - model({"token_ids": IDS})).max() > 1e-3


def _exporter(small_run, run_dir, **keys):
    model, layer, _ = small_run
    about = {"problem": small.PROBLEM, "pairs": False, "plain": True, "card": small.Card()}
    return Onnx(model=model, text_layer=layer, run_dir=run_dir, **{**about, **keys})


def test_folder_holds_model_vocabulary_and_record(small_run):
    (small_run[2] / "onnx").mkdir()
    (small_run[2] / "onnx" / "LICENSE").touch()  # by a user
    folder = _exporter(small_run, small_run[2]).write()
    assert {path.name for path in folder.iterdir()} == {
        *("model.onnx", "vocab.txt", "tokenizer_config.json", "labels.txt", "export.json"),
        *("inputs.json", "model_card.md", "LICENSE"),
    }
    record = json.loads((folder / "export.json").read_text())
    assert record["largest_difference"] < 1e-5
    assert record["labels_changed"] == 0
    assert record["samples"] == len(small.TEXTS)


def test_model_with_other_predictions_is_not_kept(small_run, tmp_path):
    recorded = samples.read(small_run[2])
    recorded[0]["probabilities"] = [0.1, 0.2, 0.7]
    (tmp_path / layout.SAMPLES).write_text("\n".join(map(json.dumps, recorded)))
    with pytest.raises(
        UserError, match=r"export=onnx: a probability differs by .* more than tolerance=0\.0001"
    ):
        _exporter(small_run, tmp_path).write()
    assert [path.name for path in tmp_path.iterdir()] == [layout.SAMPLES]


@pytest.mark.parametrize("exporter", [Onnx, Litert])
def test_model_that_no_file_can_hold_is_refused(small_run, exporter, monkeypatch):
    count = small_run[0].count_params()
    about = {"model": small_run[0], "text_layer": small_run[1], "run_dir": small_run[2]}
    about |= {"problem": small.PROBLEM, "pairs": False}
    about |= {"plain": True, "card": small.Card()} if exporter is Onnx else {}
    monkeypatch.setattr(_token_ids, "MOST_BYTES", 2 * count)
    with pytest.raises(
        ValueError, match=rf"^{count:,} weights .* use \w+\(quantization='int8'\) or"
    ):
        exporter(**about)
    exporter(**about, quantization="int8")
    monkeypatch.setattr(_token_ids, "MOST_BYTES", count - 1)
    with pytest.raises(ValueError, match="use saved_model"):
        exporter(**about, quantization="int8")


def test_adapters_are_refused(small_run):
    with pytest.raises(ValueError, match="adapters"):
        _exporter(small_run, small_run[2], plain=False)
