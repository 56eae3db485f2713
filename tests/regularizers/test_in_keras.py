"""Regularizers applied to Keras models that know nothing of ftkeras.train."""

import keras
import numpy as np
import pytest

import ftkeras
from ftkeras.encoders.bert import Bert
from ftkeras.regularizers.confidence_penalty import ConfidencePenalty
from ftkeras.regularizers.distill import Distill
from ftkeras.regularizers.embedding_noise import EmbeddingNoise
from ftkeras.regularizers.fgm import FGM
from ftkeras.regularizers.l1 import L1
from ftkeras.regularizers.l2 import L2
from ftkeras.regularizers.l2_sp import L2SP
from ftkeras.regularizers.layer_drop import LayerDrop
from ftkeras.regularizers.mixout import Mixout
from ftkeras.regularizers.orthogonal import Orthogonal
from ftkeras.regularizers.r_drop import RDrop
from tests.finished import ENCODER

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


class _Doubling(keras.layers.Layer):
    """Multiply by 1 in the first training pass, by 2 in the second, and by 3 otherwise."""

    def build(self, shape):
        self.passes = 0

    def call(self, x, training=False):
        self.passes += bool(training)
        return x * (self.passes if training else 3)


def _passes(activation: str) -> keras.Model:
    layers = [keras.Input((3,)), _Doubling(), keras.layers.Activation(activation)]
    model = keras.Sequential(layers)
    single = activation == "sigmoid"
    kind = keras.losses.BinaryCrossentropy if single else keras.losses.SparseCategoricalCrossentropy
    loss = kind(from_logits=activation == "linear")
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True)
    return model


def _softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


LOGITS = np.array([[2.0, 0.5, -1.0], [0.0, 1.5, 0.3]], "float32")


@pytest.mark.parametrize("activation", ["linear", "softmax"])
def test_two_passes_are_made_consistent(activation):
    model, labels, weights = _passes(activation), np.array([0, 2]), np.array([1.0, 0.5])
    RDrop(alpha=3.0).apply(model)
    p, q = _softmax(LOGITS.astype("float64")), _softmax(2 * LOGITS.astype("float64"))
    losses = -np.log(p[[0, 1], labels]) - np.log(q[[0, 1], labels])
    divergence = ((p - q) * (np.log(p) - np.log(q))).sum(axis=1)
    expected = np.mean(weights * (losses + 1.5 * divergence))
    model.get_layer(index=0).passes = 0
    found = model.train_on_batch(LOGITS, labels, sample_weight=weights)
    assert found == pytest.approx(expected, rel=1e-5)
    calm = _softmax(3 * LOGITS.astype("float64"))
    validated = model.test_on_batch(LOGITS, labels)
    assert validated == pytest.approx(-np.log(calm[[0, 1], labels]).mean(), rel=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "sigmoid_logits"])
def test_confident_labels_are_penalized(activation):
    model, labels = _passes("sigmoid"), np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    if activation == "sigmoid_logits":
        model = _passes("linear")
        model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True), run_eagerly=True)
    ConfidencePenalty(strength=0.5).apply(model, activation=activation)
    p = 1 / (1 + np.exp(-LOGITS.astype("float64")))
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()
    loss = -np.log(np.where(labels == 1, p, 1 - p)).mean()
    model.get_layer(index=0).passes = 0
    found = model.train_on_batch(LOGITS, labels)
    assert found == pytest.approx(loss - 0.5 * entropy, rel=1e-5)


def _trained(part, outputs, targets, loss, **settings) -> float:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(outputs, name="high")(inputs))
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True)
    part.apply(model, **settings)
    return float(model.train_on_batch(LOGITS, targets))


@pytest.mark.parametrize("part", [RDrop(), ConfidencePenalty()], ids=["r_drop", "confidence"])
@pytest.mark.parametrize(
    ("outputs", "loss", "settings", "received"),
    [
        (1, "mse", {}, "None, for outputs"),
        (1, "mse", {"activation": "linear"}, "'linear', for outputs"),
        (3, keras.losses.BinaryCrossentropy(from_logits=True), {}, "None, for outputs"),
    ],
)
def test_linear_outputs_that_may_be_no_classes_are_refused(part, outputs, loss, settings, received):
    with pytest.raises(ValueError, match=f"sigmoid_logits .of labels., numbers.*: {received}"):
        _trained(part, outputs, np.ones((2, outputs)), loss, **settings)


def test_one_hot_classes_have_logits_and_numbers_no_entropy():
    one_hot = np.eye(3)[[0, 2]]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, name="ce")
    for given in (loss, [loss], {"high": loss}, "CategoricalCrossentropy"):
        assert np.isfinite(_trained(RDrop(), 3, one_hot, given))
    with pytest.raises(ValueError, match="numbers have no entropy"):
        _trained(ConfidencePenalty(), 1, np.ones((2, 1)), "mse", activation="numbers")


def test_numbers_of_a_teacher_are_learned():
    student, teacher = (
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in range(2)
    )
    Distill(weight=0.75).apply(student, teacher=teacher, activation="numbers")
    student.compile(keras.optimizers.SGD(0.0), "mse")
    answers = np.ones((2, 2), "float32")
    own, taught = np.array(student(LOGITS)), np.array(teacher(LOGITS))
    expected = 0.25 * ((own - answers) ** 2).mean() + 0.75 * ((own - taught) ** 2).mean()
    assert student.train_on_batch(LOGITS, answers) == pytest.approx(expected, rel=1e-5)


def _ending_in(activation) -> keras.Model:
    inputs = keras.Input((3,))
    dense = keras.layers.Dense(3, kernel_initializer="identity")
    if isinstance(activation, str):
        dense.activation = keras.activations.get(activation)
        return keras.Model(inputs, dense(inputs))
    return keras.Model(inputs, activation(dense(inputs)))


@pytest.mark.parametrize(
    ("student", "told", "teacher"),
    [
        ("linear", "sigmoid_logits", "sigmoid"),
        ("linear", "sigmoid_logits", keras.ops.sigmoid),
        ("linear", "linear", "softmax"),
        ("linear", "linear", keras.layers.Softmax()),
        ("sigmoid", None, "linear"),
        ("sigmoid", "sigmoid", "linear"),
        ("softmax", "softmax", "linear"),
        ("linear", "sigmoid_logits", keras.layers.Reshape((3,))),
        ("linear", "numbers", "linear"),
        ("sigmoid", "numbers", "sigmoid"),
    ],
)
def test_a_teacher_of_the_same_logits_has_nothing_to_teach(student, told, teacher):
    """Its last layer tells what its outputs are; the student's may differ."""
    model = _ending_in(student)
    Distill(temperature=2.0, weight=1.0).apply(model, teacher=_ending_in(teacher), activation=told)
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    assert model.train_on_batch(LOGITS, np.zeros((2, 3))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("student", "told", "teacher"),
    [("linear", None, "sigmoid"), ("softmax", None, "sigmoid"), ("sigmoid", "sigmoid", "softmax")],
)
def test_a_teacher_of_another_kind_is_refused(student, told, teacher):
    with pytest.raises(ValueError, match="same kind as '.*': (classes|labels); else .*Received: "):
        Distill().apply(_ending_in(student), teacher=_ending_in(teacher), activation=told)


def test_penalties_of_layers_count_once():
    model = _plain()
    RDrop().apply(model, activation="numbers")
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    inputs, answers = np.ones((2, 4), "float32"), np.ones((2, 2), "float32")
    error = float(np.mean((np.array(model(inputs)) - answers) ** 2))
    expected = 2 * error + _loss(model)  # both passes are the same
    assert model.train_on_batch(inputs, answers) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("regularizer", [RDrop(), ConfidencePenalty()])
def test_terms_of_examples_are_traced(regularizer):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    regularizer.apply(model)
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(LOGITS, np.array([0, 2]), verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.matrix
def test_a_classifier_of_texts_is_regularized():
    model = ftkeras.TextClassifier.from_pretrained(ENCODER, labels=["a", "b"], max_length=8, seed=1)
    RDrop(alpha=1.0).apply(model)
    model.compile(ftkeras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    history = model.fit(["good", "bad"] * 4, [0, 1] * 4, epochs=2, verbose=0).history
    task = model.evaluate(["good", "bad"] * 4, [0, 1] * 4, verbose=0)
    assert history["loss"][-1] > 1.5 * task


def test_terms_of_examples_are_added_once():
    model = _passes("softmax")
    RDrop().apply(model)
    ConfidencePenalty().apply(model)
    for again in (RDrop(alpha=2.0), ConfidencePenalty()):
        with pytest.raises(ValueError, match=f"{type(again).__name__} was already applied to"):
            again.apply(model)


def test_outputs_without_an_activation_need_one():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Flatten()])
    with pytest.raises(
        ValueError, match="`activation` must be one of linear, softmax, .*, because"
    ):
        RDrop().apply(model)
    with pytest.raises(ValueError, match="must be one of linear, .*numbers. Received: 'relu'"):
        RDrop().apply(model, activation="relu")
    RDrop().apply(model, activation="linear")


@pytest.mark.parametrize(
    ("regularizer", "message"),
    [
        (FGM(), "must have one encoder of ftkeras.encoders. Received: 0"),
        (Distill(), "`teacher` of Distill must be a Keras model to learn from"),
        (LayerDrop(), "must have one encoder of ftkeras.encoders. Received: 0"),
        (L2(where="nothing"), "`where` must match a trainable variable's path"),
        (Orthogonal(where="bias"), "`where` must match matrices only"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_does_not_fit_is_refused(regularizer, message):
    with pytest.raises(ValueError, match=message):
        regularizer.apply(_plain())
