"""The contents of an exported folder, and the check before it appears."""

import json
import re
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ftkeras.errors import UserError
from ftkeras.exporters import _ops, _warmup, saved_model
from ftkeras.runs import exported, layout, samples
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


def test_wordpiece_is_the_only_op_beyond_core_tensorflow(graph):
    ops = {node.op for node in _nodes(graph)}
    assert ops & _ops.TEXT == {"FastWordpieceTokenizeWithOffsets"}


def test_signatures_are_the_documented_ones(graph):
    signatures = {k: v for k, v in graph.signature_def.items() if not k.startswith("__")}
    one, ids, three = [-1], [-1, -1], [-1, 3]
    assert {name: _shapes(s.inputs) for name, s in signatures.items()} == {
        "serving_default": {"text": one},
        "token_ids": {"token_ids": ids},
        "classify": {"inputs": one},
        "embed": {"text": one},
        "explain": {"text": one},
        "token_counts": {"text": one},
    }
    answer = {"label": one, "score": one, "probabilities": three}
    assert {name: _shapes(s.outputs) for name, s in signatures.items()} == {
        "serving_default": answer,
        "token_ids": {"logits": three, "probabilities": three},
        "classify": {"classes": three, "scores": three},
        "embed": {"embedding": [-1, 24]},
        "explain": {**answer, "explained": one, "tokens": ids, "attributions": ids, "gap": one},
        "token_counts": {"tokens": one, "unknown": one},
    }


def test_only_classify_belongs_to_the_classify_api(graph):
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


def test_only_the_models_variables_are_stored(version, small_run):
    names = [n for n, _ in tf.train.list_variables(str(version / "variables" / "variables"))]
    stored = [name for name in names if "VARIABLE_VALUE" in name]
    assert len(stored) == len(small_run[0].saved_variables)


def test_assets_card_and_settings_are_written(version):
    assert (version / "assets" / "labels.txt").read_text(encoding="utf-8").split("\n") == [
        *small.LABELS,
        "",
    ]
    vocabulary = (version / "assets" / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert tuple(vocabulary) == small.text_layer().tokenizer.vocabulary
    assert (version / "model_card.md").read_text() == "a card\n"
    assert (version / "run.cfg").read_text() == "--task=quickstart\n"


def test_record_holds_the_results_of_the_check(version):
    record = json.loads((version / "export.json").read_text())
    assert record["samples"] == len(small.TEXTS)
    assert record["largest_difference"] <= record["tolerance"] == 1e-5
    assert record["same_label"] == record["accuracy"] == 1.0
    assert record["labels_changed"] == 0
    assert record["logit_tolerance"] is None
    assert set(record["latency_ms"]) == {"batch_1", "batch_32"}
    assert all(milliseconds > 0 for milliseconds in record["latency_ms"].values())
    assert record["samples_of"] == "test"
    assert (exported.run_of(version) / layout.SAMPLES).is_file()
    assert record["lengths"] == [16, 32, 40]
    assert record["bytes"] > sum(w.shape.num_elements() * 4 for w in small.model().saved_variables)


@pytest.mark.matrix
def test_warm_up_requests_cover_each_signature_and_length(version):
    """Read the requests as TensorFlow Serving does, and run them."""
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
    assert seen == every | {("explain", 16), ("token_counts", 16)}


def test_export_with_other_predictions_is_refused(small_run, tmp_path, monkeypatch):
    model, layer, run_dir = small_run
    recorded = samples.read(run_dir)
    rows = [{"probabilities": sample["probabilities"]} for sample in recorded]
    recorded[1]["probabilities"] = [0.5, 0.3, 0.2]
    findings = {"rows": rows, "disagreements": [], "latency_ms": {}}
    monkeypatch.setattr(saved_model.Verifier, "_run", lambda self, request: findings)
    (tmp_path / layout.SAMPLES).write_text("\n".join(map(json.dumps, recorded)))
    (tmp_path / "run.cfg").write_text("")
    with pytest.raises(
        UserError, match="from what the run has measured, more than tolerance=1e-05"
    ) as error:
        small.exporter(tmp_path, model, layer).write()
    assert "\n" not in str(error.value)
    assert list((tmp_path / "served").iterdir()) == []


def test_export_with_an_unknown_op_is_refused(small_run, monkeypatch):
    model, layer, run_dir = small_run
    exporter = small.exporter(run_dir, model, layer)
    before = set(exporter.served_from.iterdir()) if exporter.served_from.exists() else set()
    monkeypatch.setattr(_ops, "TEXT", set())
    with pytest.raises(UserError, match="lacks: FastWordpieceTokenizeWithOffsets"):
        exporter.write()
    assert set(exporter.served_from.iterdir()) == before


@pytest.fixture
def failing(small_run, tmp_path, monkeypatch):
    """Return what makes an exporter whose model TensorFlow can't save, by the error."""
    model, layer, _ = small_run

    def make(error):
        def fail(*arguments):
            raise error

        monkeypatch.setattr(tf.saved_model, "save", fail)
        run_dir = small.run_dir(tmp_path, model, layer, small.TEXTS)
        return small.exporter(run_dir, model, layer)

    return make


def test_full_disk_is_told_and_leaves_nothing(failing, tmp_path):
    """In TensorFlow's words, which name a file of the version that will not be there."""
    words = "{{node x}} served/.1.partial/variables/a; No space left on device [Op:SaveV2]"
    exporter = failing(tf.errors.ResourceExhaustedError(None, None, words))
    reason = r"served can't hold the model \(No space left on device\); .*`export_dir`"
    with pytest.raises(UserError, match=f"export=saved_model: {tmp_path}/{reason}"):
        exporter.write()
    assert list((tmp_path / "served").iterdir()) == []


def test_error_that_is_not_the_disks_stays_as_it_is(failing):
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor [Op:Cast]")
    with pytest.raises(tf.errors.ResourceExhaustedError, match="OOM"):
        failing(error).write()


def test_run_without_samples_names_the_command_that_writes_them(small_run, tmp_path):
    model, layer, _ = small_run
    with pytest.raises(
        UserError, match=f"no readable samples.jsonl.*evaluate --run_dir={tmp_path}"
    ):
        small.exporter(tmp_path, model, layer).write()


@pytest.mark.process
@pytest.mark.parametrize(
    ("keys", "bound"),
    [
        ({"quantization": "int8"}, 0.25),
        ({"dtype": "bfloat16"}, 0.15),
        ({"dtype": "float16"}, 0.02),
        ({"compute": "bfloat16"}, 0.15),
        ({"compute": "float16"}, 0.02),
    ],
)
def test_rounded_weights_move_the_logits_within_their_bound(small_run, keys, bound):
    model, layer, run_dir = small_run
    exporter = small.exporter(run_dir, model, layer, **keys)
    version = exporter.write()
    record = json.loads((version / "export.json").read_text())
    assert 1e-5 < record["logit_change"] <= record["logit_tolerance"] == bound
    assert record["tolerance"] is None
    assert f"test: {record['labels_changed']} of 5 labels change, logits move" in exporter.message
    assert " in float32)" in exporter.message
    original = record["original"]
    assert original["largest_difference"] < 1e-5 < record["largest_difference"]
    assert original["logit_change"] < record["logit_change"]
    assert record["bytes"] < original["bytes"]
    assert set(original) >= {"bytes", "latency_ms", "accuracy", "dtype"}


@pytest.mark.process
@pytest.mark.usefixtures("verifier_process")
def test_rounded_weights_are_served(small_run):
    model, layer, run_dir = small_run
    rounded = small.exporter(run_dir, model, layer, quantization="int8").write()
    served = tf.saved_model.load(str(rounded)).signatures["serving_default"]
    given = served(text=tf.constant(small.TEXTS))["probabilities"]
    np.testing.assert_allclose(given, small.probabilities(model, layer, small.TEXTS), atol=0.1)
    assert np.abs(given - small.probabilities(model, layer, small.TEXTS)).max() > 1e-5


@pytest.mark.matrix
@pytest.mark.parametrize(
    "keys",
    [{"quantization": "int8"}, pytest.param({"dtype": "bfloat16"}, marks=pytest.mark.process)],
)
def test_rounded_weights_beyond_their_bound_are_refused(small_run, keys):
    model, layer, run_dir = small_run
    exporter = small.exporter(run_dir, model, layer, logit_tolerance=1e-4, **keys)
    before = set(exporter.served_from.iterdir()) if exporter.served_from.exists() else set()
    with pytest.raises(
        UserError, match=r"logits move by .*logit_tolerance=0\.0001; \d of 5 labels"
    ):
        exporter.write()
    assert set(exporter.served_from.iterdir()) == before


@pytest.mark.process
def test_export_without_serving_api_omits_warm_up_requests_and_says_so(
    small_run, tmp_path, monkeypatch
):
    model, layer, _ = small_run
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    run_dir = small.run_dir(tmp_path, model, layer, small.TEXTS)
    exporter = small.exporter(run_dir, model, layer)
    version = exporter.write()
    assert not (version / _warmup.FILE).exists()
    assert json.loads((version / "export.json").read_text())["warmup_requests"] == 0
    assert "without warm-up requests, which need: pip install" in exporter.message
    assert "\n" not in exporter.message


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"dtype": "float64"}, "`dtype`.*float64"),
        ({"quantization": "int4"}, "`quantization`.*int4"),
        ({"quantization": "int8", "dtype": "float16"}, "`quantization` and `dtype`"),
        ({"compute": "int8"}, "`compute`.*float16.*int8"),
        ({"compute": "float16", "dtype": "bfloat16"}, "`dtype` must be equal to `compute`"),
        ({"compute": "float16", "quantization": "int8"}, "`quantization` and `compute`.*'float16'"),
        ({"logit_tolerance": -1}, "`logit_tolerance`.*-1"),
        ({"explain": True, "steps": 0}, "`steps`.*0"),
        ({"steps": 64}, "`steps` has an effect only with explain=True.*64"),
        ({"tolerance": -1}, "`tolerance`.*-1"),
    ],
)
def test_bad_key_is_named(small_run, keys, named):
    model, layer, run_dir = small_run
    with pytest.raises(ValueError, match=named):
        small.exporter(run_dir, model, layer, **keys)


def test_user_sees_the_result_of_the_check(finished_run):
    output = (finished_run / "stdout.txt").read_text()
    assert re.search(
        r"\n +the answers to 60 test texts differ .* by at most \S+; \S+ MB, \S+ ms per text",
        output,
    )


def test_folder_holds_complete_versions_only(finished_run):
    versions = finished_run / "saved_models" / "quickstart"
    assert all(path.name.isdigit() for path in versions.iterdir())
