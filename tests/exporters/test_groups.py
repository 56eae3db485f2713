"""Rows of different lengths are read in groups of similar length, and answered as if alone."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.exporters import _groups
from ftkeras.exporters._lengths import lengths as padded_lengths

PAD, LONGEST = 0, 200
SIZES = padded_lengths(LONGEST)
LENGTHS = st.lists(st.integers(1, LONGEST), max_size=90)


class Network:
    """A network whose output tells which row it has read, and that notes the shapes it reads."""

    def __init__(self, *, each_token):
        self.shapes, self._each_token = [], each_token

    def __call__(self, ids):
        token_ids = ids["token_ids"]
        tf.py_function(lambda s: self.shapes.append(tuple(s.numpy())), [tf.shape(token_ids)], [])
        found = tf.cast(token_ids, tf.float32)[:, :, tf.newaxis] * [1.0, -1.0]
        return found if self._each_token else tf.reduce_sum(found, axis=1)


def _ids(row_lengths):
    """Return ids, each row with its own, padded as a batch is."""
    longest = max([1, *row_lengths])
    size = next(size for size in SIZES if size >= longest)
    rows = np.arange(1, len(row_lengths) + 1, dtype=np.int32)[:, np.newaxis]
    kept = np.arange(size) < np.reshape(row_lengths, [-1, 1])
    return np.where(kept, rows, PAD).astype(np.int32)


@pytest.fixture(scope="module", params=[False, True], ids=["rows", "tokens"])
def grouped(request):
    """Return a network, and the function of a graph that runs it in groups."""
    network = Network(each_token=request.param)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def run(token_ids):
        ids = {"token_ids": token_ids}
        shape = tf.TensorShape([None, None, 2] if request.param else [None, 2])
        return _groups.run_in_groups(network, ids, pad_id=PAD, sizes=SIZES, shape=shape)

    return network, run


@given(LENGTHS)
def test_every_row_gets_its_own_answer(grouped, row_lengths):
    network, run = grouped
    ids = _ids(row_lengths)
    np.testing.assert_array_equal(run(ids), network({"token_ids": tf.constant(ids)}))


@given(LENGTHS)
def test_groups_save_padding_and_hold_few_rows(grouped, row_lengths):
    network, run = grouped
    ids = _ids(row_lengths)
    network.shapes.clear()
    run(ids)
    assert sum(rows for rows, _ in network.shapes) == len(row_lengths)
    assert all(rows <= _groups.MOST_ROWS for rows, _ in network.shapes)
    assert {size for _, size in network.shapes} <= set(SIZES)
    assert sum(rows * size for rows, size in network.shapes) <= ids.size


@pytest.mark.parametrize(
    ("row_lengths", "groups"),
    [
        ([], []),
        ([200] * 70, [(64, 200), (6, 200)]),
        ([30] * 8, [(8, 32)]),
        ([16, 200, 20, 190], [(2, 200), (2, 32)]),
        ([50, 200], [(2, 200)]),  # one short row is not worth a group
    ],
)
def test_rows_of_similar_length_are_a_group(grouped, row_lengths, groups):
    network, run = grouped
    network.shapes.clear()
    run(_ids(row_lengths))
    assert network.shapes == groups
