"""Policies applied to Keras models that know nothing of ftkeras.train."""

import keras
import numpy as np
import pytest

import ftkeras
from ftkeras.encoders.bert import Bert
from ftkeras.policies.adapters import Adapters
from ftkeras.policies.bitfit import BitFit
from ftkeras.policies.discriminative import Discriminative
from ftkeras.policies.freeze import Freeze
from ftkeras.policies.gradual_unfreezing import GradualUnfreezing
from ftkeras.policies.head_only import HeadOnly
from ftkeras.policies.layerwise import Layerwise
from ftkeras.policies.lora import LoRA
from tests.finished import ENCODER

IDS = np.array([[2, 5, 7, 3], [2, 9, 4, 3]])


def _model() -> keras.Model:
    encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, dropout=0.0, seed=1)
    ids = keras.Input((4,), dtype="int32")
    return keras.Model(ids, keras.layers.Dense(2, name="answer")(encoder(ids)["pooled"]))


def test_lora_trains_its_factors_and_is_merged():
    model, policy = _model(), LoRA(rank=2, pooler=False, seed=1)
    before = np.array(model(IDS))
    policy.apply(model)
    factors = list(model.lora.weights)
    assert sorted(v.path.rpartition("/")[2] for v in model.trainable_variables) == sorted(
        [f"layer_{n}_{k}_{f}" for n in (0, 1) for k in ("query", "value") for f in "ab"]
        + ["bias", "kernel"]
    )
    np.testing.assert_allclose(model(IDS), before, atol=1e-6)
    model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    for _ in range(2):  # B is 0 at first, and so is the gradient of A
        values = [np.array(factor) for factor in factors]
        model.train_on_batch(IDS, np.ones((2, 2)))
    changed = [(np.array(f) != v).any() for f, v in zip(factors, values, strict=True)]
    assert all(changed)
    trained = np.array(model(IDS))
    assert np.abs(trained - before).max() > 0.01
    with pytest.raises(ValueError, match="call `merge` of `LoRA`"):
        keras.saving.serialize_keras_object(model)
    policy.merge(model)
    np.testing.assert_allclose(model(IDS), trained, atol=1e-5)
    keras.saving.serialize_keras_object(model)
    with pytest.raises(ValueError, match="was not applied to .* or it is merged already"):
        policy.merge(model)


@pytest.mark.matrix
def test_models_that_share_the_encoder_follow_the_policy():
    model = ftkeras.TextSimilarity.from_pretrained(ENCODER, max_length=8, seed=1)
    texts, policy = ["dull", "moving"], LoRA(rank=2, seed=1)
    before = model.embed(texts)
    policy.apply(model)
    for variable in model.lora.weights:
        variable.assign(np.full(variable.shape, 0.3, "float32"))
    trained = model.embed(texts)
    np.testing.assert_allclose(trained, model.embedder()(keras.ops.array(texts)), atol=1e-5)
    assert np.abs(trained - before).max() > 0.01
    policy.merge(model)
    np.testing.assert_allclose(model.embed(texts), trained, atol=1e-5)


@pytest.mark.matrix
def test_fit_after_the_merge_trains_what_is_saved(tmp_path):
    model, policy = _model(), LoRA(rank=2, seed=1)
    policy.apply(model)
    model.compile("adam", "mse")
    model.fit(IDS, np.ones((2, 2)), verbose=0)
    model.predict(IDS, verbose=0)
    policy.merge(model)
    model.fit(IDS, np.zeros((2, 2)), epochs=3, verbose=0)
    model.save(tmp_path / "m.keras", include_optimizer=False)
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again(IDS), model.predict(IDS, verbose=0), atol=1e-6)


def test_merged_model_is_saved(tmp_path):
    model, policy = _model(), LoRA(rank=2, seed=1)
    policy.apply(model)
    for variable in model.lora.weights:
        variable.assign(np.full(variable.shape, 0.1, "float32"))
    policy.merge(model)
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "m.keras")(IDS), model(IDS))


def test_pattern_freezes_variables_of_any_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="low")])
    model.add(keras.layers.Dense(2, name="high"))
    policy = Freeze(r"\blow/|bias$")
    policy.apply(model)
    policy.merge(model)  # as with other policies, though it adds nothing
    (trained,) = model.trainable_variables
    assert trained.path.endswith("high/kernel")


def test_pattern_freezes_parts_of_an_encoder():
    model = _model()
    Freeze("embeddings|layer_0/").apply(model)
    parts = {v.path.split("/")[1] for v in model.trainable_variables if "encoder" in v.path}
    assert parts == {"layer_1", "pooler"}
    whole = _model()
    Freeze(layers=1).apply(whole)
    assert len(whole.trainable_variables) == len(model.trainable_variables)


def test_head_only_is_applied():
    model = _model()
    HeadOnly(pooler=False).apply(model)
    assert {v.path for v in model.trainable_variables} == {"answer/kernel", "answer/bias"}


def _foreign_model() -> keras.Model:
    """Return a model whose layers are named like those of KerasHub's backbones."""
    ids = keras.Input((4,), dtype="int32")
    x = keras.layers.Embedding(30, 8, name="token_embedding")(ids)
    x = keras.layers.LayerNormalization(name="embeddings_layer_norm")(x)
    for number in range(2):
        x = keras.layers.Dense(8, "tanh", name=f"transformer_layer_{number}")(x)
    backbone = keras.Model(ids, keras.layers.GlobalAveragePooling1D()(x), name="backbone")
    return keras.Model(ids, keras.layers.Dense(2, name="logits")(backbone(ids)))


def test_biases_of_a_foreign_backbone_train():
    model = _foreign_model()
    BitFit().apply(model.get_layer("backbone"))
    assert sorted(v.path.rpartition("backbone/")[2] for v in model.trainable_variables) == [
        "embeddings_layer_norm/beta",
        "logits/bias",
        "logits/kernel",
        "transformer_layer_0/bias",
        "transformer_layer_1/bias",
    ]
    with pytest.raises(ValueError, match="`model` must have biases"):
        BitFit().apply(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)]))


@pytest.mark.parametrize("build", [_model, _foreign_model])
def test_rates_fall_from_layer_to_layer(build):
    model, plain = build(), build()
    start = model.get_weights()
    plain.set_weights(start)
    rates = Layerwise(decay=0.5).multipliers(model)
    for one, multipliers in ((model, rates), (plain, ())):
        sgd = ftkeras.optimizers.SGD(0.1, momentum=0.0, clip_norm=0.0, multipliers=multipliers)
        one.compile(sgd, "mse", run_eagerly=True)
        one.train_on_batch(IDS, np.ones((2, 2)))
    for weight, other, before in zip(model.weights, plain.weights, start, strict=True):
        path = weight.path
        rate = 0.25 if "embedding" in path else 0.5 if "layer_0/" in path else 1.0
        moved = np.array(other) - before
        np.testing.assert_allclose(np.array(weight) - before, rate * moved, atol=1e-6)
    assert [rate for _, rate in Discriminative().multipliers(model)] == [1, 1 / 2.6, 1 / 2.6**2]


def test_layers_of_unknown_names_are_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="answer")])
    with pytest.raises(ValueError, match="must have layers of one kind.* Received: none.*answer"):
        Layerwise().multipliers(model)


@pytest.mark.matrix
def test_layers_of_a_classifier_are_unfrozen_one_by_one():
    model = ftkeras.TextClassifier.from_pretrained(ENCODER, labels=["a", "b"], max_length=8, seed=1)
    model.compile(ftkeras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    counts = []
    count = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: counts.append(len(model.trainable_variables))
    )
    callbacks = [*GradualUnfreezing().callbacks(model), count]
    embeddings = model.encoder.embeddings.weights[0]
    before = np.array(embeddings)
    model.fit(["good", "bad"] * 2, [0, 1] * 2, epochs=4, verbose=0, callbacks=callbacks)
    assert counts[0] < counts[1] < counts[2] < counts[3]
    assert (np.array(embeddings) != before).any()
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="must be one of ftkeras.optimizers.* Received: Adam"):
        model.fit(["good", "bad"], [0, 1], verbose=0, callbacks=callbacks)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (LoRA(), "must have one encoder of ftkeras.encoders. Received: 0 in 'plain'"),
        (Freeze("nothing"), "`pattern` must match the path of a variable"),
        (Adapters(), "Adapters can't be applied to a Keras model; `ftkeras.train` has it"),
        (
            GradualUnfreezing(),
            r"can't be .*: pass `callbacks=GradualUnfreezing\(…\).callbacks\(model\)` to `fit`",
        ),
        (Layerwise(), r"pass `multipliers=Layerwise\(…\).multipliers\(model\)` to an optimizer"),
        (HeadOnly(), "must have one encoder of ftkeras.encoders. Received: 0"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_does_not_fit_is_refused(policy, message):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match=message):
        policy.apply(model)


def test_wrong_pattern_is_refused():
    with pytest.raises(ValueError, match="`pattern` must be a regular expression"):
        Freeze("(")
