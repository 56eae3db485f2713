"""What stands in an exported folder; that it serves is tested with the whole run in test_main."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ftkeras.errors import UserError
from ftkeras.exporters import _ops, _warmup
from ftkeras.runs import layout, samples
from tests.exporters import small


@pytest.fixture(scope="module")
def graph(version):
    content = (version / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]


def _nodes(graph):
    yield from graph.graph_def.node
    for function in graph.graph_def.library.function:
        yield from function.node_def


def _shapes(tensors) -> dict[str, list[int]]:
    return {name: [d.size for d in t.tensor_shape.dim] for name, t in tensors.items()}


def test_only_wordpiece_is_no_core_op(graph):
    ops = {node.op for node in _nodes(graph)}
    assert ops & _ops.TEXT == {"FastWordpieceTokenizeWithOffsets"}


def test_signatures_are_those_promised(graph):
    signatures = {k: v for k, v in graph.signature_def.items() if not k.startswith("__")}
    assert set(signatures) == {"serving_default", "token_ids", "classify", "embed", "explain"}
    one, ids, three = [-1], [-1, -1], [-1, 3]
    assert {name: _shapes(s.inputs) for name, s in signatures.items()} == {
        "serving_default": {"text": one},
        "token_ids": {"token_ids": ids},
        "classify": {"inputs": one},
        "embed": {"text": one},
        "explain": {"text": one},
    }
    answer = {"label": one, "score": one, "probabilities": three}
    assert {name: _shapes(s.outputs) for name, s in signatures.items()} == {
        "serving_default": answer,
        "token_ids": {"logits": three, "probabilities": three},
        "classify": {"classes": three, "scores": three},
        "embed": {"embedding": [-1, 24]},
        "explain": {**answer, "tokens": ids, "attributions": ids, "gap": one},
    }


def test_only_classify_is_of_the_classify_api(graph):
    methods = {k: s.method_name for k, s in graph.signature_def.items() if not k.startswith("__")}
    assert methods.pop("classify") == "tensorflow/serving/classify"
    assert set(methods.values()) == {"tensorflow/serving/predict"}


def test_fingerprint_is_that_of_the_file(version):
    from tensorflow.python.saved_model import fingerprinting_utils

    before = tf.saved_model.experimental.read_fingerprint(str(version))
    fingerprinting_utils.write_fingerprint(str(version))
    after = tf.saved_model.experimental.read_fingerprint(str(version))
    assert before.saved_model_checksum == after.saved_model_checksum
    assert before.signature_def_hash == after.signature_def_hash


def test_variables_are_the_finished_model_alone(version, made):
    names = [n for n, _ in tf.train.list_variables(str(version / "variables" / "variables"))]
    stored = [name for name in names if "VARIABLE_VALUE" in name]
    assert len(stored) == len(made[0].saved_variables)


def test_what_lies_beside_the_model(version):
    assert (version / "assets" / "labels.txt").read_text(encoding="utf-8").split("\n") == [
        *small.LABELS,
        "",
    ]
    vocabulary = (version / "assets" / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert tuple(vocabulary) == small.text_layer().tokenizer.vocabulary
    assert (version / "model_card.md").read_text() == "a card\n"
    assert (version / "run.cfg").read_text() == "--task=quickstart\n"


def test_record_says_what_was_checked(version):
    record = json.loads((version / "export.json").read_text())
    assert record["samples"] == len(small.TEXTS)
    assert record["largest_difference"] <= record["tolerance"] == 1e-5
    assert record["same_label"] == record["accuracy"] == 1.0
    assert set(record["latency_ms"]) == {"batch_1", "batch_32"}
    assert all(figure > 0 for figure in record["latency_ms"].values())
    assert record["samples_of"] == "test"
    assert record["lengths"] == [16, 32, 40]
    assert record["bytes"] > sum(w.shape.num_elements() * 4 for w in small.model().saved_variables)


def test_warm_up_answers_at_each_signature_and_length(version):
    """Read back as TensorFlow Serving reads it, and answered by the model."""
    from tensorflow_serving.apis import prediction_log_pb2

    model, layer = tf.saved_model.load(str(version)), small.text_layer()
    seen = set()
    for record in tf.data.TFRecordDataset(str(version / _warmup.FILE)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        if log.WhichOneof("log_type") == "classify_log":
            request = log.classify_log.request
            examples = [e.SerializeToString() for e in request.input.example_list.examples]
            inputs = {"inputs": tf.constant(examples)}
            text = request.input.example_list.examples[0].features.feature["text"]
            length = int(layer(text.bytes_list.value)["token_ids"].row_lengths()[0])
        else:
            request = log.predict_log.request
            inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
            length = (
                inputs["token_ids"].shape[1]
                if "token_ids" in inputs
                else int(layer(inputs["text"])["token_ids"].row_lengths()[0])
            )
        spec = request.model_spec
        assert spec.name == "served"
        answer = model.signatures[spec.signature_name](**inputs)
        assert all(value.shape[0] == 1 for value in answer.values())
        seen.add((spec.signature_name, length))
    every = {
        (n, k) for n in ("serving_default", "token_ids", "classify", "embed") for k in (16, 32, 40)
    }
    assert seen == every | {("explain", 16)}


def test_export_is_refused_where_it_does_not_say_what_was_measured(made, tmp_path):
    model, layer, run_dir = made
    kept = samples.read(run_dir)
    kept[1]["probabilities"] = [0.5, 0.3, 0.2]
    (tmp_path / layout.SAMPLES).write_text("\n".join(map(json.dumps, kept)))
    (tmp_path / "run.cfg").write_text("")
    with pytest.raises(UserError, match="from what the run has measured, over 1e-05") as told:
        small.exporter(tmp_path, model, layer).write()
    assert "\n" not in str(told.value)
    assert list((tmp_path / "served").iterdir()) == []


def test_export_is_refused_where_an_op_is_unknown(made, monkeypatch):
    model, layer, run_dir = made
    exporter = small.exporter(run_dir, model, layer)
    before = set(exporter.served_from.iterdir()) if exporter.served_from.exists() else set()
    monkeypatch.setattr(_ops, "TEXT", set())
    with pytest.raises(UserError, match="no op FastWordpieceTokenizeWithOffsets"):
        exporter.write()
    assert set(exporter.served_from.iterdir()) == before


def test_run_without_texts_to_check_by_says_how_to_get_them(made, tmp_path):
    model, layer, _ = made
    with pytest.raises(UserError, match=f"no samples.jsonl.*evaluate --run_dir={tmp_path}"):
        small.exporter(tmp_path, model, layer).write()


@pytest.mark.process
def test_smaller_export_stands_beside_the_original(made):
    model, layer, run_dir = made
    version = small.exporter(run_dir, model, layer, quantization="int8").write()
    record = json.loads((version / "export.json").read_text())
    original = record["original"]
    assert original["largest_difference"] < 1e-5 < record["largest_difference"] < 0.1
    assert record["bytes"] < original["bytes"]
    assert set(original) >= {"bytes", "latency_ms", "accuracy", "dtype"}
    served = tf.saved_model.load(str(version)).signatures["serving_default"]
    said = served(text=tf.constant(small.TEXTS))["probabilities"]
    np.testing.assert_allclose(said, small.probabilities(model, layer, small.TEXTS), atol=0.1)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"dtype": "float64"}, "`dtype`.*float64"),
        ({"quantization": "int4"}, "`quantization`.*int4"),
        ({"quantization": "int8", "dtype": "float16"}, "`quantization` and `dtype`"),
        ({"steps": 0}, "`steps`.*0"),
        ({"tolerance": -1}, "`tolerance`.*-1"),
    ],
)
def test_bad_key_is_named(made, keys, named):
    model, layer, run_dir = made
    with pytest.raises(ValueError, match=named):
        small.exporter(run_dir, model, layer, **keys)


def test_run_is_told_what_was_checked(finished_run):
    said = (finished_run / "stdout.txt").read_text()
    assert re.search(r"\n +60 texts of test within \S+ of the run; \S+ MB, \S+ ms a text", said)


def test_folder_holds_a_model_and_nothing_half_written(finished_run):
    versions = finished_run / "saved_models" / "quickstart"
    assert all(path.name.isdigit() for path in versions.iterdir())
