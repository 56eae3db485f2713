import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.head_tail import HeadTail
from ftkeras.text.truncations.tail import Tail
from tests.matrix import examples

ROWS = st.lists(st.lists(st.integers(0, 99), max_size=12), min_size=1, max_size=6)


def head(row, limit):
    return row[:limit]


def tail(row, limit):
    return row[max(len(row) - limit, 0) :]


def head_tail(row, limit, head=3):
    return row if len(row) <= limit else row[: min(head, limit)] + tail(row, max(limit - head, 0))


@pytest.mark.parametrize(
    ("part", "expected"), [(Head(), head), (Tail(), tail), (HeadTail(head=3), head_tail)]
)
def test_truncation_equals_plain_slicing(part, expected):
    @examples(40)
    @given(ROWS, st.data())
    def check(rows, data):
        pieces = tf.ragged.constant(rows, dtype=tf.int32, ragged_rank=1)
        limit = data.draw(st.integers(0, 14))
        found = part(pieces, limit)
        assert found.dtype == tf.int32
        assert found.to_list() == [expected(row, limit) for row in rows]
        limits = data.draw(st.lists(st.integers(0, 14), min_size=len(rows), max_size=len(rows)))
        found = part(pieces, tf.constant(limits, tf.int32))
        assert found.to_list() == [expected(*pair) for pair in zip(rows, limits, strict=True)]

    check()


@pytest.mark.parametrize("part", [Head(), Tail(), HeadTail()])
def test_empty_batch_stays_empty_in_a_graph(part):
    spec = tf.RaggedTensorSpec([None, None], tf.int32)
    graph = tf.function(part, input_signature=[spec, tf.TensorSpec([], tf.int32)])
    none = tf.RaggedTensor.from_row_splits(tf.zeros([0], tf.int32), [0])
    assert graph(none, 4).to_list() == []
    assert graph(tf.ragged.constant([[1, 2, 3, 4, 5]]), 4).row_lengths().numpy() == [4]


def test_head_tail_keeps_128_and_382_of_510():
    found = HeadTail()(tf.ragged.constant([list(range(600))]), 510).to_list()[0]
    assert found == [*range(128), *range(600 - 382, 600)]


def test_head_may_be_an_integer_of_numpy():
    assert json.dumps(HeadTail(head=np.int64(3)).get_config()) == '{"head": 3}'


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None])
def test_head_must_be_a_positive_integer(value):
    with pytest.raises(ValueError, match=r"`head`.*at least 1.*Received"):
        HeadTail(head=value)
