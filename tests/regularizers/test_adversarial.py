"""Test adversarial regularizers against the papers' algorithms in NumPy."""

import keras
import numpy as np
import pytest

from ftkeras.optimizers.sgd import SGD
from ftkeras.regularizers import _perturbation
from ftkeras.regularizers.fgm import FGM
from ftkeras.regularizers.freelb import FreeLB
from ftkeras.regularizers.smart import Smart
from tests.matrix import matrix
from tests.regularizers import tiny
from tests.regularizers.tiny import HIDDEN, MASK, TOKEN_IDS

SHAPE = (*TOKEN_IDS.shape, HIDDEN)
ZEROS = np.zeros(SHAPE)


def _norms(offset):
    return np.sqrt((offset**2).sum(axis=(1, 2), keepdims=True))


def _loss_at(model):
    return lambda offset: tiny.cross_entropy(tiny.at_offset(model, offset))


def _uniform(part):
    """Return the first sample of a part's stream, from a copy of the part."""
    seeds = type(part)(**part.get_config()).seeds
    return np.array(keras.random.uniform(SHAPE, -1, 1, seed=seeds))


def _first_offset(part):
    return (
        part.radius
        * _uniform(part)
        * MASK[:, :, None]
        / np.sqrt(MASK.sum(axis=1)[:, None, None] * HIDDEN)
    )


def _freelb_offsets(part, model):
    """Compute the paper's algorithm in NumPy, with gradients by finite differences."""
    offsets = [_first_offset(part)]
    for _ in range(part.steps - 1):
        gradient = tiny.example_gradients(model, tiny.losses, offsets[-1])
        offset = offsets[-1] + part.step_size * gradient / _norms(gradient)
        offsets.append(offset * np.minimum(1, part.radius / _norms(offset)))
    return offsets


def _smart_offset(part, model):
    seeds = type(part)(**part.get_config()).seeds
    noise = np.array(keras.random.normal(SHAPE, seed=seeds))
    offset, clean = part.deviation * noise * MASK[:, :, None], tiny.at_offset(model)

    def divergences(logits):
        return tiny.divergences(clean, logits)

    for _ in range(part.steps):
        gradient = tiny.example_gradients(model, divergences, offset, step=1e-5)
        largest = np.abs(gradient).max(axis=(1, 2), keepdims=True)
        offset = np.clip(offset + part.step_size * gradient / largest, -part.radius, part.radius)
    return offset


@pytest.mark.usefixtures("float64")
def test_fgm_adds_the_loss_one_step_along_the_gradient():
    part = FGM(epsilon=0.8)
    model = tiny.regulated(part)
    gradient = tiny.example_gradients(model, tiny.losses, ZEROS)
    offset = 0.8 * gradient / _norms(gradient)
    clean, adversarial = _loss_at(model)(ZEROS), _loss_at(model)(offset)
    assert adversarial > clean + 0.1
    assert float(tiny.training_loss(model)) == pytest.approx(clean + adversarial, rel=1e-6)
    _check_gradient(model, [ZEROS, offset], lambda a, b: a + b)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "radius", [0.3, pytest.param(5.0, marks=pytest.mark.matrix)]
)  # with and without an effect of the projection
def test_freelb_is_the_mean_loss_along_the_ascent(radius):
    part = FreeLB(steps=3, step_size=0.25, radius=radius, seed=4)
    model = tiny.regulated(part)
    offsets = _freelb_offsets(part, model)
    expected = np.mean([_loss_at(model)(offset) for offset in offsets])
    assert float(tiny.training_loss(model)) == pytest.approx(expected, rel=1e-6)
    part.seeds = type(part)(**part.get_config()).seeds
    _check_gradient(model, offsets, lambda *losses: sum(losses) / 3)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("radius", matrix([0.02, 1.0], default=[0.02]))
def test_smart_adds_the_divergence_at_the_end_of_the_ascent(radius):
    part = Smart(strength=2, steps=2, step_size=0.05, radius=radius, deviation=0.01, seed=4)
    model = tiny.regulated(part)
    offset = _smart_offset(part, model)
    clean, moved = tiny.at_offset(model), tiny.at_offset(model, offset)
    term = 2 * tiny.divergence(clean, moved)
    assert term > 1e-4
    loss = float(tiny.training_loss(model))
    assert loss - tiny.cross_entropy(clean) == pytest.approx(term, rel=1e-5)


def _check_gradient(model, offsets, combine):
    """Check that the weights' gradient is that of the losses at constant offsets."""
    found = tiny.gradients(model, lambda: tiny.training_loss(model))
    slope, direction = tiny.slope(model, lambda: combine(*map(_loss_at(model), offsets)))
    assert tiny.along(found, direction) == pytest.approx(slope, rel=1e-5)


@pytest.mark.usefixtures("float64")
def test_gradient_of_smart_goes_through_both_predictions():
    part = Smart(strength=2, steps=1, step_size=0.05, radius=1, deviation=0.01, seed=4)
    model = tiny.regulated(part)
    offset = _smart_offset(part, model)

    def loss():
        clean = tiny.at_offset(model)
        moved = tiny.divergence(clean, tiny.at_offset(model, offset))
        return tiny.cross_entropy(clean) + 2 * moved

    found = tiny.gradients(model, lambda: tiny.training_loss(model))
    slope, direction = tiny.slope(model, loss)
    assert tiny.along(found, direction) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(
    "part", [FGM(), FreeLB(seed=1, steps=2), Smart(seed=1)], ids=["fgm", "freelb", "smart"]
)
def test_padding_is_never_perturbed(part):
    model = tiny.regulated(part)
    seen = []
    original = model.encoder.embeddings.call

    def watched(token_ids, mask=None, segments=None, positions=None, offset=None, training=False):
        if offset is not None:
            seen.append(np.array(offset))
        return original(token_ids, mask, segments, positions, offset, training=training)

    model.encoder.embeddings.call = watched
    tiny.training_loss(model)
    assert len(seen) == 2
    assert not np.any(seen[-1][~MASK])
    assert np.all(np.any(seen[-1], axis=-1)[MASK])


@pytest.mark.parametrize(
    ("part", "passes"),
    [(FGM(), 3), (FreeLB(steps=3), 4), (Smart(steps=2), 4)],
    ids=["fgm", "freelb", "smart"],
)
def test_number_of_passes(part, passes):
    model = tiny.regulated(part)
    calls = []
    original = model.encoder.call
    model.encoder.call = lambda *a, **k: calls.append(1) or original(*a, **k)
    tiny.training_loss(model)
    assert len(calls) == passes


@pytest.mark.matrix
@pytest.mark.parametrize("part", [FGM(), FreeLB(seed=1), Smart(seed=1)])
def test_half_precision_loss_is_close_to_the_float32_one(part):
    expected = float(tiny.training_loss(tiny.regulated(part)))
    keras.config.set_dtype_policy("mixed_float16")
    try:
        found = float(tiny.training_loss(tiny.regulated(type(part)(**part.get_config()))))
    finally:
        keras.config.set_dtype_policy("float32")
    assert found == pytest.approx(expected, rel=2e-2)


class Confident(keras.losses.Loss):
    """The cross-entropy times 1e-7: its gradient is as small as that of confident predictions."""

    def call(self, y_true, y_pred):
        logits = keras.ops.cast(y_pred, "float32")
        return 1e-7 * keras.losses.sparse_categorical_crossentropy(y_true, logits, from_logits=True)


@pytest.mark.parametrize(
    "part",
    [FGM(), pytest.param(FreeLB(seed=1, step_size=1.0, radius=2.0), marks=pytest.mark.matrix)],
    ids=["fgm", "freelb"],
)
def test_small_gradients_perturb_in_float16_what_they_perturb_in_float32(part):
    expected = float(tiny.training_loss(tiny.regulated(part)))
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = tiny.regulated(type(part)(**part.get_config()))
        model.compile(optimizer=SGD(loss_scaling=True), loss=Confident())
        model.optimizer.build(model.trainable_variables)
        found = float(tiny.training_loss(model))
    finally:
        keras.config.set_dtype_policy("float32")
    # The perturbation is as long as its gradient is not, so only the factor remains.
    assert 1e7 * found == pytest.approx(expected, rel=2e-2)


def test_fgm_works_with_a_frozen_encoder():
    model = tiny.regulated(FGM(epsilon=0.5))
    model.encoder.trainable = False
    clean = tiny.cross_entropy(tiny.at_offset(model))
    assert float(tiny.training_loss(model)) > 2 * clean


def test_zero_gradient_perturbs_nothing():
    zeros = np.zeros(SHAPE, "float32")
    assert not np.any(_perturbation.over_norm(zeros))
    assert not np.any(_perturbation.over_largest(zeros))


@pytest.mark.parametrize("overflow", [np.inf, np.nan])
def test_gradient_that_overflows_perturbs_nothing_and_no_other_example(overflow):
    gradient = np.ones(SHAPE, "float32")
    gradient[1, 0, 0] = overflow
    for divide in (_perturbation.over_norm, _perturbation.over_largest):
        found = np.array(divide(gradient))
        assert not np.any(found[1])
        assert np.all(found[[0, 2, 3]] > 0)


def test_tiny_gradient_keeps_its_direction():
    gradient = np.random.default_rng(0).normal(size=SHAPE).astype("float32") * 1e-25
    found = np.array(_perturbation.over_norm(gradient))
    np.testing.assert_allclose(_norms(found), 1, rtol=1e-5)


def test_uniform_noise_of_a_row_of_padding_is_zero():
    shape, mask = (1, 2, HIDDEN), np.zeros((1, 2), bool)
    assert not np.any(_perturbation.uniform(shape, mask, keras.random.SeedGenerator(1)))
