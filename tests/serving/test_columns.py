"""Arguments of a client's call as arrays."""

import numpy as np
import pytest

from ftkeras.serving._columns import stack, to_columns


def test_strings_stay_what_they_are():
    column = to_columns({"text": ["a\0", "b"]})["text"]
    assert column.dtype == object
    assert column.tolist() == ["a\0", "b"]  # NumPy's own strings lose a NUL at the end


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([[1, 2]], np.int32),
        ([2**40], np.int64),
        ([0.5], np.float64),
        ([True], np.bool_),
        (np.array([1], np.int64), np.int64),
        (np.array(["a"]), object),
    ],
)
def test_numbers_have_the_type_that_a_signature_wants(value, dtype):
    assert to_columns({"x": value})["x"].dtype == dtype


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["a", 3], r"text\[1\] must be a string.* Received: 3\."),
        ([["a"], [None]], r"text\[1\]\[0\] must be a string.* Received: None\."),
        ([3, "a"], r"text\[0\] must be a string.* Received: 3\."),
    ],
)
def test_list_of_strings_and_others_is_refused(value, message):
    with pytest.raises(TypeError, match=message):
        to_columns({"text": value})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "at least one input"),
        ({"text": "a"}, "`text` must be a list"),
        ({"text": ["a"], "pair": ["b", "c"]}, "text has 1, pair has 2"),
    ],
)
def test_inputs_that_are_no_batch_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        to_columns(inputs)


@pytest.mark.parametrize(("kind", "empty"), [(str, ""), (lambda text: text.encode(), b"")])
def test_rows_of_several_requests_are_padded_as_one_would_be(kind, empty):
    parts = [np.array([[kind("a"), kind("b")]], object), np.array([[kind("c")]], object)]
    assert stack(parts).tolist() == [[kind("a"), kind("b")], [kind("c"), empty]]
    assert stack([np.ones((1, 2)), np.ones((2, 1))]).tolist() == [[1, 1], [1, 0], [1, 0]]
