"""Parts of ftkeras in a real model of KerasHub, with random weights.

These tests run where `pip install keras-hub` was done; it is no dependency of ours.
"""

import keras
import numpy as np
import pytest

import ftkeras
from ftkeras.policies import BitFit, Freeze, Layerwise

keras_hub = pytest.importorskip("keras_hub", exc_type=ImportError)
pytestmark = pytest.mark.matrix

IDS = np.array([[2, 5, 7, 3], [2, 9, 4, 3]] * 4)
INPUTS = {
    "token_ids": IDS,
    "padding_mask": np.ones_like(IDS),
    "segment_ids": np.zeros_like(IDS),
}
LABELS = np.array([0, 1] * 4)


def _classifier() -> keras.Model:
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=30,
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=8,
        dropout=0.0,
    )
    return keras_hub.models.BertTextClassifier(backbone, num_classes=2, preprocessor=None)


def _changed(model: keras.Model, **options) -> set[str]:
    """Train an epoch, and return the paths of the variables that changed."""
    optimizer = ftkeras.optimizers.AdamW(1e-2, **options.pop("optimizer", {}))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    before = model.get_weights()
    model.fit(INPUTS, LABELS, batch_size=4, verbose=0, **options)
    pairs = zip(model.weights, before, strict=True)
    return {weight.path for weight, old in pairs if not np.array_equal(np.array(weight), old)}


def test_frozen_layers_stay_as_they_are():
    model = _classifier()
    Freeze(r"embedding|transformer_layer_0/").apply(model)
    changed = _changed(model)
    assert any("transformer_layer_1/" in path for path in changed)
    assert not any("embedding" in path or "transformer_layer_0/" in path for path in changed)


def test_biases_of_the_backbone_and_the_head_train():
    model = _classifier()
    BitFit().apply(model.backbone)
    changed = _changed(model)
    backbone = {path for path in changed if "transformer_layer" in path}
    assert backbone
    assert all(path.endswith(("bias", "beta")) for path in backbone)
    assert any("logits/kernel" in path for path in changed)


def test_lower_layers_learn_more_slowly():
    rates = dict(Layerwise(decay=0.5).multipliers(_classifier()))
    assert sorted(rates.values()) == [0.25, 0.5, 1.0]
    assert _changed(_classifier(), optimizer={"multipliers": list(rates.items())})


def test_matrices_decay_and_biases_do_not():
    model = _classifier()
    model.compile(ftkeras.optimizers.AdamW(1e-2, weight_decay=0.5), "mse")
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    kernel, bias = model.get_layer("logits").kernel, model.get_layer("logits").bias
    old_kernel, old_bias = np.array(kernel), np.array(bias) + 1.0
    bias.assign(old_bias)
    zeros = [keras.ops.zeros_like(variable) for variable in model.trainable_variables]
    optimizer.apply_gradients(zip(zeros, model.trainable_variables, strict=True))
    np.testing.assert_allclose(np.array(kernel), old_kernel * (1 - 1e-2 * 0.5), rtol=1e-5)
    np.testing.assert_array_equal(np.array(bias), old_bias)


def test_weights_are_averaged_and_pulled_to_where_they_started():
    model = _classifier()
    ftkeras.regularizers.L2SP(strength=0.5).apply(model)
    assert float(sum(model.losses)) >= 0
    average = ftkeras.averages.Ema()
    assert _changed(model, epochs=2, callbacks=[average], validation_data=(INPUTS, LABELS))
