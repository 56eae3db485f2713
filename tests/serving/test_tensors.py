"""Decoding requests' JSON to tensors, and encoding outputs as JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ftkeras.serving import request_json, responses, tensors
from ftkeras.serving.errors import RequestError
from ftkeras.serving.tensors import Tensor

SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, max_side=4)
NUMBERS = {"int32": np.int32, "int64": np.int64, "float": np.float32, "double": np.float64}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("dtype", NUMBERS)
@given(data=st.data())
def test_numbers_survive_the_round_trip(dtype, data):
    array = data.draw(arrays.arrays(NUMBERS[dtype], SHAPES))
    written = responses.encode_predictions({"x": array}, responses.COLUMNS)
    document = {"inputs": json.loads(written)["outputs"]}
    read, form = tensors.decode(document, {"x": Tensor(dtype, None)})
    assert form == responses.COLUMNS
    assert read["x"].dtype == array.dtype
    np.testing.assert_array_equal(read["x"], array)


@given(st.lists(st.binary(), min_size=1))
def test_bytes_survive_the_round_trip(values):
    array = np.array(values, object)
    written = responses.encode_predictions({"x_bytes": array}, responses.ROWS)
    document = {"instances": json.loads(written)["predictions"]}
    read, _ = tensors.decode(document, {"x": Tensor("string", (-1,))})
    assert list(read["x"]) == values


@given(st.lists(st.binary(), min_size=1))
def test_strings_that_are_not_utf8_survive_the_round_trip(values):
    # TensorFlow Serving takes and returns raw bytes within JSON's quotes.
    written = responses.encode_predictions({"x": np.array(values, object)}, responses.ROWS)
    document = {"instances": request_json.parse(written)["predictions"]}
    read, _ = tensors.decode(document, {"x": Tensor("string", (-1,))})
    assert list(read["x"]) == values


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_a_value_of_too_many_dimensions_is_refused(key):
    value = "a"
    for _ in range(64):
        value = [value]
    document = {key: [value, value] if key == "instances" else {"x": value}}
    with pytest.raises(RequestError, match="at most 63 dimensions. Received: 64"):
        tensors.decode(document, {"x": Tensor("string", None)})


@given(JSON, st.sampled_from(["string", "int32", "float", "bool"]), st.integers(1, 2))
def test_any_json_is_a_tensor_or_refused_with_400(value, dtype, count):
    inputs = {f"x{index}": Tensor(dtype, None) for index in range(count)}
    for key in ("instances", "inputs"):
        try:
            read, status = tensors.decode({key: value}, inputs)[0], 400
        except RequestError as error:
            read, status = inputs, error.http_status
        assert set(read) == set(inputs)
        assert status == 400


@given(st.binary())
def test_any_bytes_are_an_object_or_refused_with_400(body):
    try:
        document, status = request_json.parse(body), 400
    except RequestError as error:
        document, status = {}, error.http_status
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
    assert (
        responses.encode_predictions({"x": array}, "outputs").decode()
        == f'{{"outputs": [{written}]}}'
    )


def test_outputs_with_different_row_counts_are_refused():
    with pytest.raises(RequestError, match="inconsistent batch size"):
        responses.encode_predictions({"x": np.zeros(2), "y": np.zeros(3)}, responses.ROWS)


def test_type_without_a_json_form_is_refused():
    with pytest.raises(RequestError, match="float16"):
        responses.encode_predictions({"x": np.zeros(2, np.float16)}, responses.ROWS)


@pytest.mark.parametrize(("value", "dtype"), [(1e39, "float"), (10**400, "double")])
def test_number_out_of_range_is_refused(value, dtype):
    with pytest.raises(RequestError, match="without loss of precision"):
        tensors.decode({"inputs": [value]}, {"x": Tensor(dtype, (-1,))})


def test_lone_surrogate_is_refused():
    document = request_json.parse(b'{"instances": ["\\ud800"]}')
    with pytest.raises(RequestError, match="surrogate pair"):
        tensors.decode(document, {"x": Tensor("string", (-1,))})


def test_long_value_is_shortened_in_messages():
    document = {"instances": [["a" * 10_000]], "inputs": 1}
    with pytest.raises(RequestError) as refused:
        tensors.decode(document, {"x": Tensor("string", (-1,))})
    assert len(refused.value.message) < 500
