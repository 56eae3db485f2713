"""JSON to tensors and back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ftkeras.serving import answers, documents, tensors
from ftkeras.serving.refused import Refused
from ftkeras.serving.tensors import Tensor

SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, max_side=4)
NUMBERS = {"int32": np.int32, "int64": np.int64, "float": np.float32, "double": np.float64}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("dtype", NUMBERS)
@given(data=st.data())
def test_numbers_come_back_as_they_went(dtype, data):
    array = data.draw(arrays.arrays(NUMBERS[dtype], SHAPES))
    written = answers.encode({"x": array}, answers.COLUMNS)
    document = {"inputs": json.loads(written)["outputs"]}
    read, form = tensors.decode(document, {"x": Tensor(dtype, None)})
    assert form == answers.COLUMNS
    assert read["x"].dtype == array.dtype
    np.testing.assert_array_equal(read["x"], array)


@given(st.lists(st.binary(), min_size=1))
def test_bytes_come_back_as_they_went(values):
    array = np.array(values, object)
    written = answers.encode({"x_bytes": array}, answers.ROWS)
    document = {"instances": json.loads(written)["predictions"]}
    read, _ = tensors.decode(document, {"x": Tensor("string", (-1,))})
    assert list(read["x"]) == values


@given(st.lists(st.binary(), min_size=1))
def test_strings_of_any_bytes_come_back_as_they_went(values):
    # Raw bytes in JSON's quotes, as TensorFlow Serving takes and gives them.
    written = answers.encode({"x": np.array(values, object)}, answers.ROWS)
    document = {"instances": documents.parse(written)["predictions"]}
    read, _ = tensors.decode(document, {"x": Tensor("string", (-1,))})
    assert list(read["x"]) == values


@given(JSON, st.sampled_from(["string", "int32", "float", "bool"]), st.integers(1, 2))
def test_whatever_is_sent_is_a_tensor_or_is_refused(value, dtype, count):
    inputs = {f"x{place}": Tensor(dtype, None) for place in range(count)}
    for key in ("instances", "inputs"):
        try:
            read, status = tensors.decode({key: value}, inputs)[0], 400
        except Refused as refused:
            read, status = inputs, refused.http_status
        assert set(read) == set(inputs)
        assert status == 400


@given(st.binary())
def test_whatever_bytes_are_sent_are_an_object_or_are_refused(body):
    try:
        document, status = documents.parse(body), 400
    except Refused as refused:
        document, status = {}, refused.http_status
    assert isinstance(document, dict)
    assert status == 400


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.2, "0.2"),
        (1.0, "1.0"),
        (9e6, "9e+06"),
        (3e-5, "3e-05"),
        (1 / 3, "0.333333343"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_float_is_written_as_tensorflow_serving_writes_it(value, written):
    array = np.array([value], np.float32)
    assert answers.encode({"x": array}, "outputs").decode() == f'{{"outputs": [{written}]}}'


def test_rows_of_no_common_count_are_refused():
    with pytest.raises(Refused, match="inconsistent batch size"):
        answers.encode({"x": np.zeros(2), "y": np.zeros(3)}, answers.ROWS)


def test_type_that_json_has_not_is_refused():
    with pytest.raises(Refused, match="float16"):
        answers.encode({"x": np.zeros(2, np.float16)}, answers.ROWS)


@pytest.mark.parametrize(("value", "dtype"), [(1e39, "float"), (10**400, "double")])
def test_number_beyond_its_type_is_refused(value, dtype):
    with pytest.raises(Refused, match="without loss of precision"):
        tensors.decode({"inputs": [value]}, {"x": Tensor(dtype, (-1,))})


def test_lone_surrogate_is_refused():
    document = documents.parse(b'{"instances": ["\\ud800"]}')
    with pytest.raises(Refused, match="surrogate pair"):
        tensors.decode(document, {"x": Tensor("string", (-1,))})


def test_long_value_is_shown_in_short():
    document = {"instances": [["a" * 10_000]], "inputs": 1}
    with pytest.raises(Refused) as refused:
        tensors.decode(document, {"x": Tensor("string", (-1,))})
    assert len(refused.value.message) < 500
