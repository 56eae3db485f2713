"""Regularizers applied to Keras models that know nothing of ftkeras.train."""

import keras
import numpy as np
import pytest

from ftkeras.encoders.bert import Bert
from ftkeras.regularizers.embedding_noise import EmbeddingNoise
from ftkeras.regularizers.l1 import L1
from ftkeras.regularizers.l2 import L2
from ftkeras.regularizers.l2_sp import L2SP
from ftkeras.regularizers.layer_drop import LayerDrop
from ftkeras.regularizers.mixout import Mixout
from ftkeras.regularizers.orthogonal import Orthogonal
from ftkeras.regularizers.r_drop import RDrop

IDS = np.array([[2, 5, 7, 3], [2, 9, 4, 3]])


def _plain() -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="low")])
    model.add(keras.layers.Dense(2, name="high", kernel_regularizer="l2"))
    return model


def _with_encoder() -> keras.Model:
    encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, dropout=0.0, seed=1)
    ids = keras.Input((4,), dtype="int32")
    return keras.Model(ids, keras.layers.Dense(2, name="answer")(encoder(ids)["pooled"]))


def _loss(model: keras.Model) -> float:
    return float(sum(model.losses))


@pytest.mark.parametrize(
    ("regularizer", "penalty"),
    [
        (L2(strength=0.5, where="low/kernel"), lambda w: 0.5 * (w**2).sum()),
        (L1(strength=0.5, where="low/kernel"), lambda w: 0.5 * np.abs(w).sum()),
    ],
    ids=["l2", "l1"],
)
def test_penalty_is_added_to_the_loss_of_any_model(regularizer, penalty):
    model = _plain()
    own = _loss(model)
    regularizer.apply(model)
    low = np.array(model.get_layer("low").kernel)
    assert _loss(model) == pytest.approx(own + penalty(low), rel=1e-5)
    model.compile("sgd", "mse", run_eagerly=True)
    inputs, answers = np.ones((2, 4), "float32"), np.ones((2, 2), "float32")
    error = float(np.mean((np.array(model(inputs)) - answers) ** 2))
    expected = error + own + penalty(low)
    assert model.train_on_batch(inputs, answers) == pytest.approx(expected, rel=1e-5)


def test_weights_are_pulled_to_where_they_start():
    model = _plain()
    own = _loss(model)
    L2SP(strength=0.5).apply(model)
    assert _loss(model) == pytest.approx(own)
    model.get_layer("low").kernel.assign_add(np.full((4, 3), 0.1, "float32"))
    assert _loss(model) == pytest.approx(own + 0.25 * 12 * 0.01, rel=1e-4)


def test_head_of_an_encoder_is_pulled_to_zero():
    model = _with_encoder()
    L2SP(strength=0.5, head_strength=1.0).apply(model)
    kernel = np.array(model.get_layer("answer").kernel)
    assert _loss(model) == pytest.approx(0.5 * (kernel**2).sum(), rel=1e-5)


@pytest.mark.parametrize("cls", [EmbeddingNoise, LayerDrop, Mixout])
def test_what_acts_inside_an_encoder_acts_in_training_alone(cls):
    model = _with_encoder()
    cls(seed=1).apply(model)
    for variable in model.trainable_variables:  # Mixout mixes the weights of before and after
        variable.assign_add(np.full(variable.shape, 0.1, "float32"))
    calm = [np.array(model(IDS, training=False)) for _ in range(2)]
    np.testing.assert_array_equal(*calm)
    assert any((np.array(model(IDS, training=True)) != calm[0]).any() for _ in range(4))


@pytest.mark.parametrize(
    ("regularizer", "message"),
    [
        (RDrop(), "RDrop can't be applied to a Keras model, because its term depends on the ex"),
        (LayerDrop(), "must have one encoder of ftkeras.encoders. Received: 0"),
        (L2(where="nothing"), "`where` must match a trainable variable's path"),
        (Orthogonal(where="bias"), "`where` must match matrices only"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_does_not_fit_is_refused(regularizer, message):
    with pytest.raises(ValueError, match=message):
        regularizer.apply(_plain())
