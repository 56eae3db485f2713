"""Adversarial terms and a teacher in Keras models that know nothing of ftkeras.train."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from ftkeras.regularizers.distill import Distill
from ftkeras.regularizers.distill_states import DistillStates
from ftkeras.regularizers.embedding_noise import EmbeddingNoise
from ftkeras.regularizers.fgm import FGM
from ftkeras.regularizers.freelb import FreeLB
from ftkeras.regularizers.r_drop import RDrop
from ftkeras.regularizers.smart import Smart
from tests.finished import ENCODER
from tests.matrix import matrix
from tests.regularizers import tiny

PARTS = {
    "fgm": lambda: FGM(epsilon=0.8),
    "freelb": lambda: FreeLB(steps=3, step_size=0.25, radius=0.3, seed=4),
    "smart": lambda: Smart(strength=2, steps=2, step_size=0.05, radius=0.5, deviation=0.1, seed=4),
}


def _in_keras(network, activation="linear") -> keras.Model:
    """Return a functional model of a network's encoder, and of its head as a dense layer."""
    ids = keras.Input((None,), dtype="int32")
    features = network.encoder(ids, padding_mask=keras.ops.not_equal(ids, 0))
    dense = keras.layers.Dense(3, activation, name="answer")
    model = keras.Model(ids, dense(features["pooled"]))
    dense.set_weights([np.array(v) for v in network.head.trainable_variables])
    return model


def _trained(network, model, part, activation="linear") -> float:
    """Return the loss of one step of SGD in the functional model."""
    part.apply(model)
    logits = activation == "linear"
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    model.compile(keras.optimizers.SGD(0.01), loss)
    return float(model.train_on_batch(tiny.TOKEN_IDS, tiny.LABELS))


@pytest.mark.parametrize("activation", matrix(["linear", "softmax"], default=["softmax"]))
@pytest.mark.parametrize("name", matrix(PARTS, default=["fgm"]))
def test_step_is_that_of_ftkeras_train(name, activation):
    ours = tiny.regulated(PARTS[name]())
    expected = float(ours.train_on_batch(tiny.INPUTS, tiny.LABELS))
    task = tiny.cross_entropy(tiny.at_offset(tiny.network()))
    assert abs(expected - task) > 1e-3
    network = tiny.network()
    model = _in_keras(network, activation)
    found = _trained(network, model, PARTS[name](), activation)
    assert found == pytest.approx(expected, rel=1e-5)
    for one, other in zip(network.encoder.weights, ours.encoder.weights, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), atol=2e-6, err_msg=one.path)
    head = [np.array(v) for v in model.get_layer("answer").weights]
    for one, other in zip(head, ours.head.trainable_variables, strict=True):
        np.testing.assert_allclose(one, np.array(other), atol=2e-6)


@pytest.mark.matrix
def test_small_gradients_perturb_in_float16_what_they_perturb_in_float32():
    expected = _trained(network := tiny.network(), _in_keras(network), FGM())
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = _in_keras(tiny.network())
        FGM().apply(model)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss, loss_weights=1e-7)
        found = float(model.train_on_batch(tiny.TOKEN_IDS, tiny.LABELS))
    finally:
        keras.config.set_dtype_policy("float32")
    # The perturbation is as long as its gradient is not, so only the factor remains.
    assert 1e7 * found == pytest.approx(expected, rel=2e-2)


def test_validation_loss_is_of_the_task_and_penalties_stay():
    network = tiny.network()
    model = _in_keras(network)
    dense = model.get_layer("answer")
    dense.kernel.regularizer = keras.regularizers.L2(0.5)
    part = FreeLB(steps=1, radius=0.0)  # the loss at the embeddings themselves
    loss = _trained(network, model, part)
    expected = tiny.cross_entropy(tiny.at_offset(tiny.network()))
    kernel = np.array(tiny.network().head.trainable_variables[0])
    assert loss == pytest.approx(expected + 0.5 * (kernel**2).sum(), rel=1e-5)
    tested = model.test_on_batch(tiny.TOKEN_IDS, tiny.LABELS)
    logits = np.array(model(tiny.TOKEN_IDS))
    penalty = 0.5 * float((np.array(dense.kernel) ** 2).sum())
    assert tested == pytest.approx(tiny.cross_entropy(logits) + penalty, rel=1e-5)


def test_terms_add_up():
    network = tiny.network()
    model = _in_keras(network)
    RDrop(alpha=0.0).apply(model)  # without dropout, the loss once more
    found = _trained(network, model, FreeLB(steps=1, radius=0.0))
    expected = tiny.cross_entropy(tiny.at_offset(tiny.network()))
    assert found == pytest.approx(2 * expected, rel=1e-5)


@pytest.mark.matrix
@pytest.mark.parametrize("name", PARTS)
def test_replicas_share_a_batch(name):
    part = PARTS[name] if name == "fgm" else lambda: type(PARTS[name]())(radius=0.0)
    expected = _trained(network := tiny.network(), _in_keras(network), part())
    reduction = tf.distribute.ReductionToOneDevice()
    devices = [d.name.replace("/physical_device:", "") for d in tf.config.list_logical_devices()][
        :2
    ]
    with tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction).scope():
        network = tiny.network()
        model = _in_keras(network)
        part().apply(model)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss)
        history = model.fit(tiny.TOKEN_IDS, tiny.LABELS, batch_size=4, verbose=0, shuffle=False)
    assert history.history["loss"] == pytest.approx([expected], rel=1e-5)


@pytest.mark.matrix
@pytest.mark.parametrize("part", [FGM(), FreeLB(seed=1), Smart(seed=1)], ids=list(PARTS))
def test_classifiers_of_texts_are_trained(part):
    model = ftkeras.TextClassifier.from_pretrained(ENCODER, labels=["a", "b"], max_length=8, seed=1)
    part.apply(model)
    model.compile(ftkeras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    history = model.fit(["good", "bad"] * 4, [0, 1] * 4, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


class Frozen(keras.Model):
    """A classifier whose encoder is never in training."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.answer = encoder, keras.layers.Dense(3, "softmax")

    def call(self, ids):
        return self.answer(self.encoder(ids, training=False)["pooled"])


def test_a_model_without_a_training_pass_of_its_encoder_is_refused():
    model = Frozen(tiny.network().encoder)
    model(tiny.TOKEN_IDS)
    FGM().apply(model)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"call its encoder once in a training pass.*: 0 calls"):
        model.train_on_batch(tiny.TOKEN_IDS, tiny.LABELS)


def test_a_model_that_calls_its_encoder_twice_is_refused():
    network = tiny.network()
    ids = keras.Input((None,), dtype="int32")
    both = [network.encoder(part)["pooled"] for part in (ids, ids + 1)]
    model = keras.Model(ids, keras.layers.Dense(3, "softmax")(both[0] - both[1]))
    FGM().apply(model)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="Received: 2 calls"):
        model.train_on_batch(tiny.TOKEN_IDS, tiny.LABELS)


@pytest.mark.parametrize("taught", ["linear", "softmax", "sigmoid"])
def test_a_student_learns_from_a_teacher(taught):
    inputs = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    labels = np.array([0, 2, 1, 0])
    several = taught == "sigmoid"
    student = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, taught)])
    teacher = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, taught)])
    weights = [np.array(w) for w in teacher.weights]
    Distill(temperature=2.0, weight=0.75).apply(student, teacher=teacher)
    z = inputs @ np.array(student.weights[0], "float64")
    y = inputs @ np.array(teacher.weights[0], "float64")
    if several:
        targets = np.eye(3)[labels]
        p, q, task = _sigmoid(z / 2), _sigmoid(y / 2), _sigmoid(z)
        rows = (q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))).mean(axis=1)
        losses = -np.log(np.where(targets == 1, task, 1 - task)).mean(axis=1)
        loss = keras.losses.BinaryCrossentropy()
    else:
        targets = labels
        p, q = _softmax(z / 2), _softmax(y / 2)
        rows = (q * np.log(q / p)).sum(axis=1)
        losses = -np.log(_softmax(z)[np.arange(4), labels])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=taught == "linear")
    student.compile(keras.optimizers.SGD(0.1), loss)
    importance = np.array([1.0, 0.5, 2.0, 0.0])
    expected = np.mean(importance * (0.25 * losses + 0.75 * 4 * rows))
    found = student.train_on_batch(inputs, targets, sample_weight=importance)
    assert found == pytest.approx(expected, rel=1e-5)
    for one, other in zip(weights, teacher.weights, strict=True):
        np.testing.assert_array_equal(one, np.array(other))
    assert len(student.trainable_variables) == 2


def _softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_what_a_teacher_needs_is_named():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "softmax")])
    with pytest.raises(ValueError, match="`teacher` of Distill must be a Keras model to learn"):
        Distill().apply(model)
    with pytest.raises(ValueError, match="`teacher` of RDrop must be None"):
        RDrop().apply(model, teacher=model)
    with pytest.raises(ValueError, match=r"DistillStates can't be applied.*`ftkeras.train` has"):
        DistillStates().apply(model)


def test_embeddings_that_another_part_changes_are_refused():
    network = tiny.network()
    model = _in_keras(network)
    EmbeddingNoise().apply(model)
    with pytest.raises(ValueError, match="another part already changes the encoder's embeddings"):
        FGM().apply(model)


def test_models_without_an_encoder_are_refused():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "softmax")])
    with pytest.raises(ValueError, match="must have one encoder of ftkeras.encoders. Received: 0"):
        FGM().apply(model)


def test_encoders_are_found_in_nested_models():
    inner = _in_keras(tiny.network())
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, keras.layers.Softmax()(inner(ids)))
    FGM().apply(model, activation="softmax")
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert np.isfinite(model.train_on_batch(tiny.TOKEN_IDS, tiny.LABELS))
