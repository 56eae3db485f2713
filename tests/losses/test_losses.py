"""Test every loss: its formula, its gradient, sample weights, arbitrary logits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss

from ftkeras import catalog
from ftkeras.losses.binary_cross_entropy import BinaryCrossEntropy
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.losses.focal import Focal
from ftkeras.support.protocols import Loss
from tests.losses import references
from tests.matrix import examples

CASES = [
    ("binary_cross_entropy", {}, 2),
    ("binary_cross_entropy", {"label_smoothing": 0.2}, 2),
    ("cross_entropy", {}, 3),
    ("cross_entropy", {"label_smoothing": 0.1}, 3),
    ("focal", {}, 3),
    ("focal", {"gamma": 0.5}, 2),
    ("mean_squared_error", {}, 3),
]
case = pytest.mark.parametrize(("name", "keys", "classes"), CASES)


def _examples(classes, count=6):
    rng = np.random.default_rng(classes)
    logits = rng.normal(size=(count, classes)).astype("float32") * 3
    return rng.integers(classes, size=count), logits


def _make(name, keys):
    return catalog.find("loss", name)(**keys)


def _gradient(loss, labels, logits):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(labels, logits)
    return tape.gradient(value, logits).numpy()


def test_every_loss_has_its_formula():
    formulas = {
        *references.LOSSES,
        *references.OF_NUMBERS,
        *references.OF_SPANS,
        *references.OF_CHAINS,
        *references.OF_VECTORS,
    }
    assert sorted(formulas) == catalog.names("loss")
    assert {name for name, _, _ in CASES} == set(references.LOSSES)


@case
def test_loss_fulfils_its_protocol(name, keys, classes):
    assert isinstance(_make(name, keys), Loss)


@case
def test_loss_equals_its_formula(name, keys, classes):
    labels, logits = _examples(classes)
    expected = references.LOSSES[name](labels, logits.astype(float), **keys)
    loss = _make(name, keys)
    np.testing.assert_allclose(loss.call(labels, logits), expected, rtol=2e-5, atol=1e-6)
    assert float(loss(labels, logits)) == pytest.approx(expected.mean(), rel=1e-5)


@case
def test_gradient_equals_finite_differences(name, keys, classes):
    labels, logits = _examples(classes)
    formula, step = references.LOSSES[name], 1e-6
    expected = np.zeros(logits.shape)
    for at in np.ndindex(*logits.shape):
        moved = np.zeros(logits.shape)
        moved[at] = step
        up = formula(labels, logits + moved, **keys).mean()
        down = formula(labels, logits - moved, **keys).mean()
        expected[at] = (up - down) / (2 * step)
    actual = _gradient(_make(name, keys), labels, logits)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-7)


@case
def test_sample_weights_count_each_example(name, keys, classes):
    labels, logits = _examples(classes)
    weights = np.array([0, 1, 2, 0.5, 1, 3], "float32")
    expected = references.LOSSES[name](labels, logits.astype(float), **keys) * weights
    loss = _make(name, keys)(labels, logits, sample_weight=weights)
    assert float(loss) == pytest.approx(expected.mean(), rel=1e-5)


@case
@examples(25)
@given(data=st.data())
def test_any_logits_give_a_finite_loss_and_gradient(name, keys, classes, data):
    numbers = st.floats(-1e5, 1e5, width=32)
    logits = data.draw(arrays("float32", (3, classes), elements=numbers))
    labels = data.draw(arrays("int32", 3, elements=st.integers(0, classes - 1)))
    loss = _make(name, keys)
    assert 0 <= float(loss(labels, logits)) < np.inf
    assert np.isfinite(_gradient(loss, labels, logits)).all()


@case
def test_label_that_is_no_class_is_noticed_and_harms_no_gradient(name, keys, classes):
    _, logits = _examples(classes)
    loss, labels = _make(name, keys), np.array([0, classes, 1, -1, 0, 1])
    losses = np.array(loss.call(labels, logits))
    np.testing.assert_array_equal(np.isnan(losses), [0, 1, 0, 1, 0, 0])
    kept = [0, 2, 4, 5]

    def of_classes(labels, logits):  # as a run leaves out what it masks
        return keras.ops.sum(keras.ops.where(~np.isnan(losses), loss.call(labels, logits), 0.0))

    found = _gradient(of_classes, labels, logits)
    alone = _gradient(lambda y, z: keras.ops.sum(loss.call(y, z)), labels[kept], logits[kept])
    np.testing.assert_allclose(found[kept], alone, rtol=1e-6)
    assert not found[[1, 3]].any()


@case
@pytest.mark.parametrize("none", [-1, -100, 99])
def test_label_without_a_weight_may_be_anything(name, keys, classes, none):
    _, logits = _examples(classes)
    loss, labels = _make(name, keys), np.array([0, none, 1, none, 0, 1])
    weights = np.array([1, 0, 1, 0, 2, 1], "float32")
    expected = float(loss(np.maximum(labels, 0) % 9, logits, weights))
    for column in (weights, weights[:, None]):
        assert float(loss(labels, logits, column)) == pytest.approx(expected)
    masked = keras.ops.convert_to_tensor(logits)
    masked._keras_mask = keras.ops.convert_to_tensor(weights > 0)
    assert np.isfinite(float(loss(labels[:, None], masked)))
    found = _gradient(lambda y, z: loss(y, z, weights), labels, logits)
    assert np.isfinite(found).all()
    assert not found[[1, 3]].any()


@pytest.mark.parametrize("loss", [BinaryCrossEntropy(), BinaryCrossEntropy(pos_weight=[1, 2])])
@pytest.mark.parametrize("wrong", [-1, 2])
def test_labels_from_0_to_1_are_several_labels(loss, wrong):
    logits = np.array([[1.0, -1.0], [2.0, 0.5], [0.0, 3.0]], "float32")
    labels = np.array([[0.3, 1], [wrong, 0], [1, 0]])
    for each in (loss, Focal()):
        np.testing.assert_array_equal(np.isnan(each.call(labels, logits)), [0, 1, 0])
        assert np.isfinite(float(each(labels, logits, np.array([1, 0, 1]))))


@pytest.mark.parametrize("cls", [BinaryCrossEntropy, Focal])
def test_weights_of_labels_are_one_for_each(cls):
    labels, logits = np.array([[1, 0], [1, 1]]), np.array([[1.0, -1.0], [2.0, 0.5]], "float32")
    of_list, of_array = cls(pos_weight=[1, 2]), cls(pos_weight=np.array([1.0, 2.0]))
    assert float(of_list(labels, logits)) == float(of_array(labels, logits))
    for wrong in (2.0, "12", {"a": 1.0}, {1.0, 2.0}, np.array(2.0)):
        with pytest.raises(ValueError, match="`pos_weight` must have a number for each label"):
            cls(pos_weight=wrong)
    with pytest.raises(ValueError, match=r"each of 2 labels. Received: \[1.0, 2.0, 3.0\]"):
        cls(pos_weight=[1, 2, 3])(labels, logits)
    with pytest.raises(ValueError, match="`pos_weight` must be None if each example has one class"):
        of_list(np.array([1, 0]), logits)


@case
def test_half_precision_logits_are_computed_in_float32(name, keys, classes):
    labels, logits = _examples(classes)
    loss = _make(name, keys)(labels, keras.ops.cast(logits, "bfloat16"))
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"


def test_binary_cross_entropy_equals_scikit_learn_and_cross_entropy():
    labels, logits = _examples(2, count=50)
    loss = float(BinaryCrossEntropy()(labels, logits))
    y = 1 / (1 + np.exp(logits[:, 0].astype(float) - logits[:, 1]))
    assert loss == pytest.approx(log_loss(labels, y), rel=1e-5)
    assert loss == pytest.approx(float(CrossEntropy()(labels, logits)), rel=1e-5)


def test_binary_cross_entropy_refuses_more_than_two_classes():
    with pytest.raises(ValueError, match="`classes` must be 2.*Received: 3"):
        BinaryCrossEntropy(classes=3)
    with pytest.raises(ValueError, match="`classes` must be 2.*Received: 3"):
        BinaryCrossEntropy()(*_examples(3))


@pytest.mark.parametrize(
    ("name", "keys"),
    [*((name, {}) for name in references.OF_NUMBERS), ("huber", {"delta": 0.5})],
)
def test_loss_of_numbers_equals_its_formula_and_gradient(name, keys):
    rng, formula, step = np.random.default_rng(0), references.OF_NUMBERS[name], 1e-6
    numbers, outputs = rng.normal(size=(2, 6, 3)).astype("float32")
    expected = formula(numbers.astype(float), outputs.astype(float), **keys)
    loss = _make(name, keys)
    np.testing.assert_allclose(loss.call(numbers, outputs), expected, rtol=2e-5, atol=1e-6)
    moved = outputs.astype(float) + step * np.eye(18).reshape(18, 6, 3)[:, :, :]
    rise = [formula(numbers, one, **keys).mean() - expected.mean() for one in moved]
    gradient = _gradient(loss, numbers, outputs).ravel()
    np.testing.assert_allclose(gradient, np.array(rise) / step, rtol=1e-3, atol=1e-5)
    half = keras.ops.cast(outputs, "bfloat16")
    assert keras.backend.standardize_dtype(loss(numbers, half).dtype) == "float32"


@pytest.mark.parametrize("name", [*references.OF_NUMBERS, "cosine_regression"])
def test_number_without_a_weight_may_be_nan(name):
    numbers, outputs = np.float32([0.5, np.nan, 1]), tf.constant(np.eye(3, 2, dtype="float32"))
    if name in references.OF_NUMBERS:
        numbers, outputs = numbers[:, None], outputs[:, :1]
    loss, weights = _make(name, {}), np.float32([1, 0, 2])
    expected = float(loss(np.nan_to_num(numbers), outputs, weights))
    assert float(loss(numbers, outputs, weights)) == pytest.approx(expected)
    assert np.isnan(float(loss(numbers, outputs)))
    assert np.isfinite(_gradient(lambda y, z: loss(y, z, weights), numbers, outputs)).all()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("binary_cross_entropy", {}),
        ("binary_cross_entropy", {"label_smoothing": 0.1, "pos_weight": [1.0, 0.5, 7.0]}),
        ("focal", {}),
        ("focal", {"gamma": 0.5, "pos_weight": [1.0, 0.0, 7.0]}),
    ],
)
def test_loss_of_labels_equals_its_formula_and_gradient(name, keys):
    rng, formula, step = np.random.default_rng(0), references.OF_LABELS[name], 1e-6
    labels, logits = rng.integers(2, size=(6, 3)), 3 * rng.normal(size=(6, 3)).astype("float32")
    expected = formula(labels, logits.astype(float), **keys)
    loss = _make(name, keys)
    np.testing.assert_allclose(loss.call(labels, logits), expected, rtol=2e-5, atol=1e-6)
    moved = logits.astype(float) + step * np.eye(18).reshape(18, 6, 3)
    rise = [formula(labels, one, **keys).mean() - expected.mean() for one in moved]
    np.testing.assert_allclose(
        _gradient(loss, labels, logits).ravel(), np.array(rise) / step, rtol=1e-3, atol=1e-5
    )
    extreme = np.float32([[1e5, -1e5, 0.0]])
    assert np.isfinite(_gradient(loss, np.array([[0, 1, 1]]), extreme)).all()


def test_negative_weight_of_positives_is_refused():
    with pytest.raises(ValueError, match="`pos_weight` must be at least 0 and finite.*: -1"):
        BinaryCrossEntropy(pos_weight=[1.0, -1.0])


def test_focal_of_gamma_zero_is_cross_entropy():
    labels, logits = _examples(3)
    expected = float(CrossEntropy()(labels, logits))
    assert float(Focal(gamma=0)(labels, logits)) == pytest.approx(expected, rel=1e-6)
