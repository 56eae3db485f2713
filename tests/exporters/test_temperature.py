"""A calibrated problem is exported with its temperature: other probabilities, the same labels."""

import json

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from ftkeras.exporters import _onnx_graph
from ftkeras.problems.classification import Classification
from ftkeras.runs import layout, samples
from tests.exporters import small

TEMPERATURE = 2.5


@pytest.fixture(scope="module")
def calibrated():
    problem = Classification(labels=small.LABELS)
    problem.restore_state({"temperature": TEMPERATURE})
    return problem


@pytest.mark.matrix
def test_tensorflow_loads_the_calibrated_probabilities(small_run, version, calibrated, tmp_path):
    model, layer, _ = small_run
    run_dir = small.run_dir(tmp_path, model, layer, small.TEXTS)
    rows = samples.read(run_dir)
    for row in rows:
        logs = np.log(row["probabilities"])
        row["probabilities"] = softmax(logs / TEMPERATURE).tolist()
    texts = [{"text": text} for text in small.TEXTS]
    samples.write(run_dir, rows, texts)
    exporter = small.exporter(run_dir, model, layer, problem=calibrated)
    folder = exporter.write()  # which verifies it against the samples
    assert json.loads((folder / layout.PROBLEM).read_text()) == {"temperature": TEMPERATURE}
    before, after = (tf.saved_model.load(str(path)) for path in (version, folder))
    given = tf.constant(small.TEXTS)
    before, after = (m.signatures["serving_default"](text=given) for m in (before, after))
    np.testing.assert_array_equal(after["label"], before["label"])
    expected = softmax(log_softmax(np.log(before["probabilities"]), axis=1) / TEMPERATURE, axis=1)
    np.testing.assert_allclose(after["probabilities"], expected, atol=1e-5)
    assert np.abs(after["probabilities"] - before["probabilities"]).max() > 0.05
    np.testing.assert_allclose(after["score"], np.max(expected, axis=1), atol=1e-5)


def test_onnx_has_the_calibrated_probabilities(small_run, calibrated):
    onnx = pytest.importorskip("onnx", reason="needs pip install 'ftkeras[onnx]'")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install 'ftkeras[onnx]'")
    content = _onnx_graph.build(_onnx_graph.Graph(onnx), small_run[0], calibrated, segments=False)
    session = onnxruntime.InferenceSession(content.SerializeToString())
    ids = np.array([[2, 30, 7, 3, 0, 0], [2, 9, 9, 41, 8, 3]], np.int32)
    logits, found = session.run(["logits", "probabilities"], {"token_ids": ids})
    np.testing.assert_allclose(found, softmax(logits / TEMPERATURE, axis=1), atol=1e-6)
