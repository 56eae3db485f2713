"""Rows of Python as a dataset."""

import pytest
import tensorflow as tf

from ftkeras.data.sources.stream import stream, user_error
from ftkeras.errors import UserError


def rows(count):
    for index in range(count):
        yield {"text": b"%d\x00" % index, "label": index % 3}


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 1000])
def test_every_row_in_order_with_nul_bytes(count):
    read = list(stream(lambda: rows(count)).as_numpy_iterator())
    assert [row["text"] for row in read] == [b"%d\x00" % index for index in range(count)]
    assert [row["label"] for row in read] == [index % 3 for index in range(count)]


def test_element_types_and_second_pass():
    dataset = stream(lambda: rows(3))
    assert dataset.element_spec == {
        "text": tf.TensorSpec([], tf.string),
        "label": tf.TensorSpec([], tf.int64),
    }
    assert len(list(dataset)) == len(list(dataset)) == 3


def test_rows_are_drawn_as_they_are_wanted():
    drawn = []

    def endless():
        while True:
            drawn.append(1)
            yield {"text": b"", "label": 0}

    next(stream(endless).as_numpy_iterator())
    assert len(drawn) < 2000


def test_user_error_comes_out_of_tensorflow():
    def broken():
        yield {"text": b"", "label": 0}
        raise UserError("--task: line 7: 'x' is wrong")

    with pytest.raises(tf.errors.OpError) as raised:
        list(stream(broken))
    assert str(user_error(raised.value)) == "--task: line 7: 'x' is wrong"
    assert user_error(ValueError("another")) is None
