"""Sums of gradients over replicas; tests/strategies has whole runs, also of two workers."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.support import exchange
from ftkeras.support.exchange import Exchange
from tests.strategies import tiny

TABLE, ROWS = (40, 3), 4


def _shares(seed: int = 0):
    """Return what each of two replicas has: a dense gradient, and rows of a table."""
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(2, 5, 2)).astype(np.float32)
    indices = rng.integers(0, 6, (2, ROWS)).astype(np.int32)  # some twice, some on both
    return dense, indices, rng.normal(size=(2, ROWS, 3)).astype(np.float32)


def _sums(found: Exchange, *, keep_rows: bool = False) -> list:
    """Return the sums of the shares over two replicas, as the first one has them."""
    dense, indices, values = (tf.constant(part) for part in _shares())
    strategy = tiny.two_replicas().strategy

    def on_replica():
        me = tf.distribute.get_replica_context().replica_id_in_sync_group
        rows = tf.IndexedSlices(tf.reshape(values[me], [ROWS, 3]), indices[me], TABLE)
        return found.sum([dense[me], rows], keep_rows=keep_rows)

    return [
        strategy.experimental_local_results(s)[0] for s in tf.function(strategy.run)(on_replica)
    ]


def _dense_table(indices, values):
    table = np.zeros(TABLE, np.float64)
    np.add.at(table, indices, values)
    return table


@pytest.mark.parametrize("rows", [False, True])
def test_sums_are_those_of_all_shares(rows):
    dense, indices, values = _shares()
    total, table = _sums(Exchange(rows=rows))
    np.testing.assert_allclose(total, dense.sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(table, _dense_table(indices, values), rtol=1e-5, atol=1e-6)


def test_kept_rows_are_each_there_once():
    _, indices, values = _shares()
    kept = _sums(Exchange(), keep_rows=True)[1]
    assert sorted(kept.indices.numpy()) == sorted(set(indices.flat))
    wanted = _dense_table(indices, values)[kept.indices.numpy()]
    np.testing.assert_allclose(kept.values, wanted, rtol=1e-5, atol=1e-6)


def test_shares_and_their_sum_are_rounded_to_bfloat16():
    dense, indices, values = _shares()
    total, table = _sums(Exchange("bfloat16", rows=True))
    rounded = dense.astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(total, (rounded[0] + rounded[1]).astype(np.float32))
    assert total.dtype == tf.float32
    # Of rows, each replica's own sums are rounded, but not what is received.
    parts = [
        _dense_table(*one).astype(ml_dtypes.bfloat16) for one in zip(indices, values, strict=True)
    ]
    wanted = parts[0].astype(np.float32) + parts[1].astype(np.float32)
    # A sum in another order may be rounded to the neighbouring number.
    np.testing.assert_allclose(table, wanted, rtol=2**-7, atol=1e-6)
    assert np.abs(table - _dense_table(indices, values)).max() > 1e-4


@pytest.mark.parametrize(
    ("dtype", "replicas", "sent"),
    [
        (None, 2, (2 / 2 * 1000 * 8 * 4, 100 * (8 * 4 + 4))),
        (None, 4, (6 / 4 * 1000 * 8 * 4, 3 * 100 * (8 * 4 + 4))),
        ("bfloat16", 2, (2 / 2 * 1000 * 8 * 2, 100 * (8 * 2 + 4))),
    ],
)
def test_bytes_are_counted_by_shapes(dtype, replicas, sent):
    rows = tf.IndexedSlices(tf.zeros([100, 8]), tf.zeros([100], tf.int32), (1000, 8))
    assert Exchange(dtype).bytes_sent(rows, replicas) == sent
    assert Exchange(dtype).bytes_sent(tf.zeros([1000, 8]), replicas) == (sent[0], None)


def test_rows_are_sent_only_where_they_are_fewer_bytes(monkeypatch):
    sent = []
    context = tf.distribute.get_replica_context()
    monkeypatch.setattr(type(context), "num_replicas_in_sync", 2)
    monkeypatch.setattr(
        type(context), "all_reduce", lambda self, op, values: sent.extend(values) or values
    )
    for count in (98, 99):  # of 100 rows; an index is as many bytes as a number
        rows = tf.IndexedSlices(tf.zeros([count, 99]), tf.range(count) % 7, (100, 99))
        Exchange(rows=True).sum([rows], keep_rows=False)
    assert [isinstance(one, tf.IndexedSlices) for one in sent] == [True, False]


def test_optimizers_take_the_exchange_of_their_scope():
    wanted = Exchange("bfloat16")
    with wanted.scope():
        assert exchange.current() is wanted
    assert exchange.current() == Exchange()
