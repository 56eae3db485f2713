"""Test regularizers that perturb the network in training: mixout, layer drop, embedding noise."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.encoders._packing import Attention
from ftkeras.regularizers.embedding_noise import EmbeddingNoise
from ftkeras.regularizers.layer_drop import LayerDrop
from ftkeras.regularizers.mixout import Mixout
from tests.regularizers import tiny
from tests.regularizers.tiny import HIDDEN, INPUTS, MASK

PARTS = [
    partial(Mixout, p=0.5),
    pytest.param(partial(LayerDrop, p=0.5), marks=pytest.mark.matrix),
    pytest.param(EmbeddingNoise, marks=pytest.mark.matrix),
]


def _perturb(model):
    """Add noise to the kernels; return them and their values before."""
    weights = model.encoder.blocks[0].trainable_weights
    kernels = [v for v in weights if v.name.endswith("kernel")]
    starts = [np.array(v) for v in kernels]
    draws = np.random.default_rng(6)
    for kernel in kernels:
        kernel.assign(kernel + draws.normal(size=kernel.shape))
    return kernels, starts


@pytest.mark.usefixtures("float64")
def test_mixout_uses_some_pretrained_rows_and_corrects_the_rest():
    model = tiny.regulated(Mixout(p=0.4, seed=3))
    kernels, starts = _perturb(model)
    assert len(kernels) == 4
    count = 0
    for kernel, start in zip(kernels, starts, strict=True):
        used, now = np.array(model.encoder.hooks.apply_to_kernel(kernel, True)), np.array(kernel)
        rows = ~np.all(used == start, axis=1)
        np.testing.assert_allclose(used[~rows], start[~rows])
        # (m w + (1 - m) w0 - p w0) / (1 - p) with m = 1
        np.testing.assert_allclose(used[rows], ((now - 0.4 * start) / 0.6)[rows])
        count += rows.sum()
    assert 0 < count < sum(len(start) for start in starts)


def test_mixout_is_the_current_kernel_on_average():
    model = tiny.regulated(Mixout(p=0.4, seed=3))
    kernels, _ = _perturb(model)
    hooks = model.encoder.hooks
    in_a_pass = tf.function(lambda: hooks.apply_to_kernel(kernels[0], True), autograph=False)
    mean = np.mean([np.array(in_a_pass()) for _ in range(800)], axis=0)
    np.testing.assert_allclose(mean, kernels[0], atol=0.3)


def test_gradient_of_mixout_is_that_of_the_formula():
    model = tiny.regulated(Mixout(p=0.4, seed=3))
    kernels, starts = _perturb(model)
    with tf.GradientTape() as tape:
        used = model.encoder.hooks.apply_to_kernel(kernels[0], True)
    found = np.array(tape.gradient(used, kernels[0].value))
    rows = ~np.all(np.array(used) == starts[0].astype("float32"), axis=1)
    np.testing.assert_allclose(found, np.where(rows, 1 / 0.6, 0)[:, None] * np.ones((1, 24)))


def test_mixout_changes_each_pass():
    model = tiny.regulated(Mixout(p=0.5, seed=3))
    _perturb(model)
    first, second = (np.array(model(INPUTS, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_mixout_before_any_update_changes_nothing():
    model = tiny.regulated(Mixout(p=0.5, seed=3))
    np.testing.assert_array_equal(model(INPUTS, training=True), model(INPUTS))


def test_mixout_leaves_frozen_layers_alone():
    model = tiny.network(layers=2)
    model.encoder.blocks[0].trainable = False
    Mixout().attach(model)
    assert [model.encoder.hooks.changes(block) for block in model.encoder.blocks] == [False, True]


def test_mixout_needs_kernels_that_train():
    model = tiny.network()
    model.encoder.trainable = False
    with pytest.raises(ValueError, match="no kernel of an encoder layer is trainable"):
        Mixout().attach(model)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Mixout, "already changes encoder/layer_0/.*kernel"),
        (LayerDrop, "already changes the layers' outputs"),
        (EmbeddingNoise, "already changes the encoder's embeddings"),
    ],
)
def test_second_of_a_kind_is_rejected(part, message):
    with pytest.raises(ValueError, match=message):
        tiny.regulated(part(), part())


def test_layer_drop_skips_layers_for_single_examples():
    model = tiny.regulated(LayerDrop(p=0.5, seed=5), layers=3)
    plain = tiny.network(layers=3)
    combinations = list(np.ndindex(2, 2, 2))
    all_states = tf.function(lambda: [_states(plain, used) for used in combinations])
    states = dict(zip(combinations, all_states(), strict=True))
    encode = tf.function(lambda: model.encoder(**INPUTS, training=True)["sequence"])
    outcomes = set()
    for _ in range(10):
        for row, state in enumerate(encode()):
            matches = [k for k, s in states.items() if np.allclose(state, s[row], atol=1e-5)]
            assert len(matches) == 1
            outcomes.add(matches[0])
    assert len(outcomes) == 8


def _states(model, used):
    """Return the states when some layers are skipped."""
    encoder = model.encoder
    state = encoder.embeddings(tiny.TOKEN_IDS, None, None, None)
    for block, use in zip(encoder.blocks, used, strict=True):
        state = block(state, Attention()) if use else state
    return state


def test_layer_drop_skips_with_probability_p():
    part = LayerDrop(p=0.2, seed=5)
    before, after = np.zeros((10000, 1, 1), "float32"), np.ones((10000, 1, 1), "float32")
    assert np.mean(part._skip(0, before, after)) == pytest.approx(0.8, abs=0.015)


def test_embedding_noise_is_the_formula():
    part = EmbeddingNoise(alpha=3.0, seed=5)
    noise = np.array(part._add_noise(np.zeros((4, 6, HIDDEN), "float32"), MASK))
    draws = keras.random.uniform(noise.shape, -1, 1, seed=EmbeddingNoise(seed=5).seeds)
    tokens = MASK.sum(axis=1)[:, None, None]
    expected = 3 * np.array(draws) * MASK[:, :, None] / np.sqrt(tokens * HIDDEN)
    np.testing.assert_allclose(noise, expected, rtol=1e-5)
    assert np.abs(np.array(draws)).max() > 0.9


def test_embedding_noise_is_added_to_the_embeddings():
    model = tiny.regulated(EmbeddingNoise(alpha=3.0, seed=5))
    draws = keras.random.uniform((4, 6, HIDDEN), -1, 1, seed=EmbeddingNoise(seed=5).seeds)
    noise = 3 * np.array(draws) * MASK[:, :, None]
    noise = noise / np.sqrt(MASK.sum(axis=1)[:, None, None] * HIDDEN)
    expected = tiny.at_offset(model, noise.astype("float32"))
    np.testing.assert_allclose(model(INPUTS, training=True), expected, atol=1e-5)


@pytest.mark.parametrize("part", PARTS)
def test_inference_is_unchanged(part):
    plain, model = tiny.network(layers=3), tiny.regulated(part(seed=2), layers=3)
    for network in (plain, model):
        _perturb(network)
    np.testing.assert_array_equal(model(INPUTS), plain(INPUTS))
    batch = tf.data.Dataset.from_tensors(INPUTS)
    np.testing.assert_array_equal(model.predict(batch, steps=1), plain.predict(batch, steps=1))
    assert np.abs(np.array(model(INPUTS, training=True)) - plain(INPUTS)).max() > 1e-3


@pytest.mark.matrix
@pytest.mark.parametrize("part", PARTS)
def test_same_seed_gives_the_same_training_pass(part):
    def trained(seed):
        model = tiny.regulated(part(seed=seed), layers=3)
        _perturb(model)
        return np.array(model(INPUTS, training=True))

    np.testing.assert_array_equal(trained(1), trained(1))
    assert np.any(trained(1) != trained(2))
