"""Python rows as a dataset, and the exceptions that they raise."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf

from ftkeras.data.sources import stream as module
from ftkeras.data.sources.stream import reraise_user_errors, stream
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


def test_rows_are_read_as_they_are_needed():
    read = []

    def endless():
        while True:
            read.append(1)
            yield {"text": b"", "label": 0}

    next(stream(endless).as_numpy_iterator())
    assert len(read) < 2000


def _failing(error, count=1):
    """Return a dataset whose rows raise an error after a few examples."""

    def broken():
        yield from rows(count)
        raise error

    return stream(broken)


class _SpecialError(UserError):
    exit_code = 77


def test_user_error_comes_out_of_tensorflow_as_the_object_that_was_raised():
    error = _SpecialError("`task`: line 7: 'x'\nis UserError: wrong")
    with pytest.raises(UserError) as raised, reraise_user_errors():
        list(_failing(error))
    assert raised.value is error
    assert isinstance(raised.value.__cause__, tf.errors.OpError)
    assert not module._errors


def test_user_error_passes_through_other_datasets():
    error = UserError("wrong")
    dataset = stream(lambda: rows(3)).concatenate(_failing(error)).batch(2)
    dataset = dataset.map(lambda batch: batch["text"], num_parallel_calls=2).prefetch(2)
    with pytest.raises(UserError) as raised, reraise_user_errors():
        list(dataset)
    assert raised.value is error


def test_other_errors_stay_those_of_tensorflow():
    with pytest.raises(tf.errors.OpError, match="the line is dead"), reraise_user_errors():
        list(_failing(ConnectionError("the line is dead")))
    with pytest.raises(KeyError), reraise_user_errors():
        raise KeyError


def test_streams_that_fail_at_once_each_get_their_own_error():
    def read(number):
        error = UserError(f"stream {number % 3}")  # equal messages of different streams
        with pytest.raises(UserError) as raised, reraise_user_errors():
            list(_failing(error, count=300 * (number % 4)))
        return raised.value is error

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, range(12)))
    assert not module._errors


def test_each_pass_over_a_dataset_raises_its_own_error():
    numbers = iter(range(9))

    def broken():
        yield from rows(1)
        raise UserError(f"pass {next(numbers)}")

    dataset = stream(broken)
    for number in range(2):
        with pytest.raises(UserError, match=f"pass {number}"), reraise_user_errors():
            list(dataset)
