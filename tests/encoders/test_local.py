"""Local attention in blocks equals attention with a mask, in rows of any length."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ftkeras.encoders import _local
from ftkeras.encoders._gradients import attention_with_gradient
from ftkeras.encoders._packing import packing_from_starts
from tests.matrix import matrix

WINDOW = 3


def attend(query, key, value, bias, is_token, window=None):
    """Return the values, and their gradients for random upstream gradients of tokens."""
    given = [tf.constant(part) for part in (query, key, value)]
    with tf.GradientTape() as tape:
        tape.watch(given)
        parts = given
        if window:
            keyed = [_local.to_neighbours(part, window) for part in given[1:]]
            parts = [_local.to_blocks(given[0], window), *keyed]
        values = attention_with_gradient(*parts, bias, 0.0, 1)
        if window:
            values = _local.from_blocks(values, window, query.shape[2])
        random = np.random.default_rng(1).normal(size=query.shape).astype("float32")
        loss = ops.sum(values * random * is_token[:, None, :, None].astype("float32"))
    return [values, *tape.gradient(loss, given)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("length", matrix([1, 3, 10, 11, 12, 30], default=[1, 11]))
def test_blocks_equal_a_mask_with_gradients(length, packed, monkeypatch):
    random = np.random.default_rng(0)
    parts = [random.normal(size=(2, 2, length, 4)).astype("float32") for _ in range(3)]
    mask = np.ones((2, length), "int32")
    mask[1, max(1, length // 2) :] = 0
    packing = None
    if packed:
        starts = np.array([[0, length // 3], [0, length // 4]])
        packing = packing_from_starts(ops.convert_to_tensor(starts), length)
    results = []
    for blocks in (True, False):
        monkeypatch.setattr(_local, "is_blockwise", lambda *_, blocks=blocks: blocks)
        bias = _local.local_bias(ops.convert_to_tensor(mask), packing, WINDOW)
        results.append(attend(*parts, bias, mask, WINDOW if blocks else None))
    is_token = mask.astype(bool)
    for found, wanted in zip(*results, strict=True):
        found, wanted = (np.swapaxes(part, 1, 2)[is_token] for part in (found, wanted))
        np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_masked_distances_are_those_above_the_window():
    bias = _local.local_bias(np.ones((1, 9), "int32"), None, WINDOW)
    distance = np.abs(np.arange(9)[:, None] - np.arange(9))
    np.testing.assert_array_equal(np.asarray(bias)[0, 0] == 0, distance <= WINDOW)
    assert not _local.is_blockwise(9, WINDOW)
    assert _local.is_blockwise(10, WINDOW)


@pytest.mark.parametrize("blocks", [False, True])
def test_padding_sees_the_tokens_near_it(blocks, monkeypatch):
    """Also the first place of a row, whose state is the text's if the row is padded on the left."""
    monkeypatch.setattr(_local, "is_blockwise", lambda *_: blocks)
    bias = np.asarray(_local.local_bias(np.array([[0, 1, 1, 1, 1]]), None, WINDOW))
    first = bias.reshape(-1, bias.shape[-1])[0]
    places = np.flatnonzero(first == 0) - (WINDOW if blocks else 0)
    assert places.tolist() == [1, 2, 3]
