"""A frozen encoder reads each text once, and the results stay the same."""

import csv
import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.checkpoints import tensor_file
from ftkeras.config.run import Config
from ftkeras.encoders.bert import Bert
from ftkeras.experiment import features
from ftkeras.runs import layout
from ftkeras.verbs import train
from tests.matrix import matrix
from tests.policies import tiny
from tests.training import test_state as state

SIZES = "vocabulary='reviews', layers=1, hidden=8, heads=2"
SMALL = {
    **state.SMALL,
    "encoder": f"bert({SIZES})",
    "policy": ("head_only",),
    "epochs": 2,
    # Not Adam, whose root would make much of what differs by rounding: where a text is padded to
    # another length, sums are in another order.
    "optimizer": "sgd",
    "learning_rate": 1.0,
}
RUNS = {
    "weighed": {"class_weights": "balanced", "oversample": True, "average": "ema(decay=0.9)"},
    "packed": {
        "batching": "packed",
        "head": "classification(pooling='mean')",
        "regularizer": ("r_drop", "l2", "confidence_penalty"),
    },
    "padded": {"batching": "padded", "accumulate": 3, "head": "classification(pooling='cls')"},
    "replicated": {
        "strategy": "mirrored(logical_devices=2)",
        "batching": "packed",
        "accumulate": 2,
    },
    "compiled": {"jit_compile": "true", "policy": ("head_only(pooler=False)",)},
    "frozen": {
        "policy": ("freeze(layers=1)",),
        "encoder": f"bert({SIZES}, dropout=0, attention_dropout=0)",
        "seed": 5,  # with which no two texts are so near that rounding ranks them
    },
}
MEASURED = ["accuracy", "loss", "precision", "recall", "f1", "auc", "mcc", "balanced_accuracy"]
ONCE = "its features of 90 texts are computed once"


def _run(folder: pathlib.Path, **settings) -> dict:
    train.run(Config(**{**SMALL, "run_dir": str(folder), **settings}))
    rows = list(csv.DictReader((folder / "history.csv").open()))
    metrics = json.loads((folder / "metrics.json").read_text())
    return {
        "weights": tensor_file.read(folder / layout.WEIGHTS)[0],
        "history": [[float(v) for k, v in row.items() if k != "seconds"] for row in rows],
        "measured": [
            [metrics[split][name] for name in MEASURED] for split in ("validation", "test")
        ],
        "train": metrics["train"],
    }


AREA = MEASURED.index("auc")


@pytest.mark.matrix
@pytest.mark.parametrize("name", matrix(RUNS, default=["packed"]))
def test_run_on_features_ends_as_one_that_runs_the_encoder(name, tmp_path, monkeypatch, capsys):
    once = _run(tmp_path / "once", **RUNS[name])
    assert ONCE in capsys.readouterr().out
    monkeypatch.setattr(features, "read_once", lambda _, feeds, __: (feeds, {}))
    plain = _run(tmp_path / "plain", **RUNS[name])
    # XLA computes the frozen part in quite another order of sums.
    tolerance = 1e-4 if name == "compiled" else 2e-6
    _assert_speed_is_told_as_it_is(once["train"], plain["train"])
    assert once["weights"].keys() == plain["weights"].keys()
    for path, expected in plain["weights"].items():
        atol = tolerance * np.abs(expected).max()
        np.testing.assert_allclose(once["weights"][path], expected, rtol=0, atol=atol, err_msg=path)
    np.testing.assert_allclose(once["history"], plain["history"], rtol=tolerance)
    # An area counts pairs of texts in the right order: of 100 here, rounding may turn two.
    for run in (once, plain):
        run["area"] = np.array(run["measured"])[:, AREA]
        run["measured"] = np.delete(run["measured"], AREA, axis=1)
    np.testing.assert_allclose(once["measured"], plain["measured"], rtol=tolerance)
    np.testing.assert_allclose(once["area"], plain["area"], rtol=0, atol=0.021)


def _assert_speed_is_told_as_it_is(once, plain):
    tokens = once["tokens_per_second"] * once["seconds_for_features"]
    assert 90 * 3 < tokens < 90 * 16  # each text once, though there are two epochs
    assert once["seconds"] > once["seconds_for_features"]
    assert plain.keys() == once.keys() - {"seconds_for_features"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        pytest.param(
            {"policy": ("head_only(dropout=True)",)},
            "runs in each step, because its dropout is on",
            marks=pytest.mark.matrix,
        ),
        pytest.param(
            {"policy": ("freeze(layers=1)",)},
            "runs in each step, because its dropout is on",
            marks=pytest.mark.matrix,
        ),
        pytest.param(
            {"regularizer": ("l2", "fgm")},
            "because --regularizer=fgm acts inside it",
            marks=pytest.mark.matrix,
        ),
        pytest.param(
            {"regularizer": ("layer_drop(p=0.5)",)},
            "because --regularizer=layer_drop(p=0.5) acts",
            marks=pytest.mark.matrix,
        ),
        pytest.param({"policy": ("lora(rank=1)",)}, None, marks=pytest.mark.matrix),
        pytest.param({"policy": ("freeze(layers=0)",)}, None, marks=pytest.mark.matrix),
        pytest.param({"policy": ("gradual_unfreezing",)}, None, marks=pytest.mark.matrix),
    ],
)
def test_encoder_that_must_run_in_each_step_does_and_why_is_told(tmp_path, capsys, settings, told):
    _run(tmp_path / "run", epochs=1, **settings)
    said = capsys.readouterr().out
    assert "computed once" not in said
    assert ("note: the encoder is frozen" in said) is (told is not None)
    if told is not None:
        assert told in said


@pytest.mark.matrix
def test_encoder_reads_each_text_once(tmp_path, monkeypatch):
    rows = tf.Variable(0)
    real = Bert._states

    def counting(self, token_ids, *inputs, **options):
        rows.assign_add(tf.shape(token_ids)[0])
        return real(self, token_ids, *inputs, **options)

    def only_training(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Bert, "_states", counting)
    monkeypatch.setattr("ftkeras.experiment.evaluation.evaluate", only_training)
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "run", oversample=True, epochs=3)
    assert int(rows) == 90


@pytest.mark.parametrize("pooling", ["pooled", "cls", "mean"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_logits_of_a_batchs_vectors_are_the_batchs_to_the_last_bit(pooling, precision):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model = tiny.model(pooling=pooling)
    finally:
        keras.config.set_dtype_policy(before)
    tiny.prepared(model, "head_only")
    vectors = model.text_vectors(tiny.INPUTS)
    assert (vectors.dtype, vectors.shape) == ("float32", (8, 8))
    start = np.array(model.head.seed_generator.state)
    expected = model(tiny.INPUTS, training=True)
    model.head.seed_generator.state.assign(start)
    assert np.array_equal(model({"vector": vectors}, training=True), expected)
    assert np.abs(np.array(expected, "float32")).max() > 0.1
