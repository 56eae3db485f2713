"""Serving an ONNX model: its answers are those of the SavedModel of the same run."""

import dataclasses
import functools
import json
import pathlib
import re
import shutil
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.exporters import _signatures
from ftkeras.exporters._weights import Weights
from ftkeras.problems import multi_label, regression
from ftkeras.runs import exported, inputs, layout, samples, signing
from ftkeras.serving import startup
from ftkeras.support import files
from ftkeras.text.redactions.pii import PII
from ftkeras.text.truncations.windows import Windows
from ftkeras.workflows import served_models
from tests.exporters import small
from tests.runs import keys
from tests.serving.live import live

pytest.importorskip("onnx", reason="needs pip install 'ftkeras[onnx]'")
pytest.importorskip("onnxruntime", reason="needs pip install 'ftkeras[onnx]'")

from ftkeras.exporters import onnx

TEXTS = [text.decode("utf-8", "replace") for text in small.TEXTS]
PAIRS = TEXTS[::-1]
# The exporter accepts a model whose probabilities are this far from the run's; see `Onnx`.
BOUND = onnx.TOLERANCE
SETTINGS = {"batching": "none", "labels": {}, "timeout": 30, "max_batch_bytes": 2048}


def _export(folder, layer, *, pairs=False, problem=small.PROBLEM) -> tuple[pathlib.Path, dict]:
    """Return the folder of an ONNX export, and the SavedModel's functions before they are saved."""
    about = {"text_layer": layer, "problem": problem, "pairs": pairs}
    model = small.model(layers=1)
    functions = _signatures.Served(weights=Weights(model), **about).signatures()
    exporter = onnx.Onnx(model=model, **about, plain=True, run_dir=folder, card=small.Card())
    columns = {"text": small.TEXTS, "pair": small.TEXTS[::-1]}
    if not pairs:
        del columns["pair"]
    if problem is small.PROBLEM:
        answers = functions["serving_default"](**{k: tf.constant(v) for k, v in columns.items()})
        _write_samples(folder, answers, columns)
    else:  # whose samples are compared otherwise, as other tests show
        _write_samples(folder, {"label": tf.constant(["bad"]), "probabilities": [[1.0]]}, columns)
        exporter._compare = lambda *_: mock.Mock(
            **{"record.return_value": {}}, logit_change=0, largest_difference=0
        )
    inputs.write(folder, {"pairs": pairs, "text": ["comment"]})
    files.write_json(folder / layout.LABELS, list(small.LABELS))
    return exporter.write(), functions


def _write_samples(folder, answers, columns) -> None:
    rows = zip(answers["label"].numpy(), np.asarray(answers["probabilities"]), strict=True)
    lines = [
        {"id": f"test-{n}", "label": label.decode(), "probabilities": probabilities.tolist()}
        for n, (label, probabilities) in enumerate(rows)
    ]
    texts = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    samples.write(folder, lines, texts[: len(lines)])


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return _export(tmp_path_factory.mktemp("run"), small.text_layer())


@pytest.fixture(scope="module")
def server(export):
    with live(export[0]) as running:
        yield running


def test_answers_are_those_of_the_saved_model(server, export):
    wanted = export[1]["serving_default"](text=tf.constant(TEXTS))
    answers = server.post("onnx:predict", {"instances": TEXTS}).json()["predictions"]
    got = np.array([answer["probabilities"] for answer in answers])
    np.testing.assert_allclose(got, wanted["probabilities"], atol=BOUND)
    assert [a["label"].encode() for a in answers] == wanted["label"].numpy().tolist()
    assert len({answer["label"] for answer in answers}) > 1
    classify = {"signature_name": "classify", "examples": [{"text": text} for text in TEXTS]}
    scores = server.post("onnx:classify", classify).json()["results"]
    assert [name for name, _ in scores[0]] == list(small.LABELS)
    np.testing.assert_allclose([[p for _, p in row] for row in scores], got, atol=1e-6)


def test_tokens_are_counted_and_ids_are_answered(server, export):
    for name, given in (
        ("token_counts", {"text": TEXTS}),
        ("token_ids", {"token_ids": [[2, 30, 7, 3, 0], [2, 9, 9, 41, 3]]}),
    ):
        wanted = export[1][name](**{key: tf.constant(value) for key, value in given.items()})
        body = {"signature_name": name, "inputs": given}
        outputs = server.post("onnx:predict", body).json()["outputs"]
        assert set(outputs) == set(wanted)
        for key, values in outputs.items():
            np.testing.assert_allclose(values, wanted[key], atol=BOUND * 10, err_msg=key)


def test_metadata_has_the_saved_model_s_signatures(server, export):
    found = server.get("v1/models/onnx/versions/1/metadata").json()["metadata"]["signature_def"]
    signatures = found["signature_def"]
    assert set(signatures) == set(export[1]) - {"embed"}
    assert signatures["classify"]["method_name"] == tf.saved_model.CLASSIFY_METHOD_NAME
    text = signatures["serving_default"]["inputs"]["text"]
    assert (text["dtype"], text["tensor_shape"]["dim"][0]["size"]) == ("DT_STRING", "-1")


def test_page_has_examples_columns_and_the_card(server):
    page = server.get("").text
    settings = json.loads(
        re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page)[0]
    )
    assert settings["model"] == "onnx"
    assert settings["columns"]["text"] == ["comment"]
    assert len(settings["examples"]) == len(TEXTS)
    assert settings["examples"][0]["text"] == TEXTS[0]
    assert "a card" in page


def _answers(folder, **texts) -> dict:
    functions = onnx.read(folder).signatures()
    return functions["serving_default"](**{key: tf.constant(v) for key, v in texts.items()})


def _layer(**changes):
    layer = small.text_layer(max_length=changes.pop("max_length", 40))
    for name, value in changes.items():
        setattr(layer, name, value)
    return layer


@pytest.mark.parametrize(
    ("layer", "texts"),
    [
        (_layer(), {"text": TEXTS, "pair": PAIRS}),
        (_layer(truncation=Windows(overlap=3, combine="max"), max_length=12), {"text": TEXTS}),
        (_layer(redaction=PII()), {"text": ["write to a.b@example.com", "call +1 212 555 0100"]}),
    ],
    ids=["pairs", "windows", "redaction"],
)
@pytest.mark.matrix
def test_texts_are_read_as_in_training(layer, texts, tmp_path):
    folder, functions = _export(tmp_path, layer, pairs="pair" in texts)
    wanted = functions["serving_default"](**{k: tf.constant(v) for k, v in texts.items()})
    found = _answers(folder, **texts)
    np.testing.assert_allclose(found["probabilities"], wanted["probabilities"], atol=BOUND)


def _moods() -> multi_label.MultiLabel:
    problem = multi_label.MultiLabel(labels=small.LABELS)
    problem.override_threshold("bad=0.9,très bon=0.2,普通=0.6")
    problem.temperature = 1.5
    return problem


def _stars() -> regression.Regression:
    problem = regression.Regression(labels=small.LABELS)
    problem.fit(np.array([[1.0, 20, 300], [5, 10, 500], [2, 30, 100]]))
    return problem


@pytest.mark.matrix
@pytest.mark.parametrize("make", [_moods, _stars], ids=["several_labels", "numbers"])
def test_thresholds_and_units_are_those_of_the_run(make, tmp_path):
    folder, functions = _export(tmp_path, small.text_layer(), problem=make())
    wanted = functions["serving_default"](text=tf.constant(TEXTS))
    for name, values in _answers(folder, text=TEXTS).items():
        if values.dtype == tf.string:
            assert values.numpy().tolist() == wanted[name].numpy().tolist()
        else:
            np.testing.assert_allclose(values, wanted[name], rtol=BOUND, atol=BOUND)


def test_signature_is_required_of_an_onnx_model_too(export, tmp_path):
    folder = shutil.copytree(export[0], tmp_path / "onnx")
    private, public = keys.make(tmp_path)
    format = dataclasses.replace(served_models.find(str(folder)).format, load=mock.Mock())
    check = functools.partial(signing.verify, public_key=public)
    serve = functools.partial(
        startup.build_service, "m", folder, **SETTINGS, format=format, check=check
    )
    with pytest.raises(UserError, match=r"it has no model\.sig"):
        serve()
    signing.sign(folder, private)
    assert serve().versions.available() == [1]
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UserError, match=r"model\.onnx is changed"):
        serve()


def test_export_that_does_not_have_all_that_is_needed_is_refused(export, tmp_path):
    folder = shutil.copytree(export[0], tmp_path / "onnx")
    (folder / "vocab.txt").unlink()
    with pytest.raises(UserError, match=r"lacks vocab\.txt, which its export has written"):
        onnx.read(folder)
    exported.record(folder, {})
    with pytest.raises(UserError, match="does not say how texts are read.*export the run again"):
        onnx.read(folder)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("model.tflite", r"holds no versions of a SavedModel, but model\.tflite"),
        ("model.safetensors", r"holds no versions of a SavedModel, but model\.safetensors"),
        ("model.onnx", r"holds no versions of a SavedModel, but model\.onnx"),  # without labels
    ],
)
def test_export_of_another_kind_is_refused(file, message, tmp_path):
    (tmp_path / file).touch()
    with pytest.raises(UserError, match=message):
        served_models.find(str(tmp_path))
