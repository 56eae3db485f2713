"""A network that reads many windows, a limited number at a time."""

import numpy as np
import tensorflow as tf

from ftkeras.exporters import _left_to_caller, _windows
from ftkeras.text.truncations.windows import Windows
from tests.exporters import small


def test_rows_in_chunks_are_all_rows(monkeypatch):
    monkeypatch.setattr(_windows, "WINDOWS", 2)
    sizes = []

    @tf.function(autograph=False)
    def run(ids):
        tf.py_function(lambda rows: sizes.append(int(rows)), [tf.shape(ids["token_ids"])[0]], [])
        return tf.cast(ids["token_ids"], tf.float32) * 2

    in_chunks = tf.function(lambda ids: _windows.run_in_chunks(run, ids), autograph=False)
    for rows in (5, 4, 1, 0):
        ids = np.arange(rows * 3, dtype=np.int32).reshape(rows, 3)
        found = in_chunks({"token_ids": tf.constant(ids)})
        assert found.numpy().tolist() == (2.0 * ids).tolist()
    assert sizes == [2, 2, 1, 2, 2, 1, 0]


def test_exports_of_windows_say_who_combines_them():
    layer = small.text_layer()
    assert _left_to_caller.message(layer) is None
    layer.truncation = Windows(combine="max")
    assert "(max)" in (_left_to_caller.message(layer) or "")
