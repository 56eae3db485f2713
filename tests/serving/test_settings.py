"""Reading TensorFlow Serving's batching.config."""

import pytest

from ftkeras.errors import UserError
from ftkeras.serving.settings import Batching, read_batching


def _read(tmp_path, text: str) -> Batching:
    path = tmp_path / "batching.config"
    path.write_text(text)
    return read_batching(str(path))


def test_all_fields_are_read(tmp_path):
    text = """
    # a comment
    max_batch_size { value: 16 }
    batch_timeout_micros { value: 500 }
    max_enqueued_batches { value: 7 }
    num_batch_threads { value: 3 }
    thread_pool_name { value: "pool" }
    allowed_batch_sizes: 4
    allowed_batch_sizes: 16
    pad_variable_length_inputs: true
    enable_large_batch_splitting { value: false }
    """
    assert _read(tmp_path, text) == Batching(
        max_batch_size=16,
        batch_timeout_micros=500,
        max_enqueued_batches=7,
        num_batch_threads=3,
        allowed_batch_sizes=(4, 16),
        enable_large_batch_splitting=False,
    )


def test_omitted_fields_have_tensorflow_servings_defaults(tmp_path):
    read = _read(tmp_path, "num_batch_threads { value: 1 }")
    assert (read.max_batch_size, read.batch_timeout_micros, read.max_enqueued_batches) == (
        1000,
        0,
        10,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_sice { value: 1 }", "max_batch_sice"),
        ("max_batch_size: 1", "max_batch_size"),
        ("max_batch_size { value: 0 }", "max_batch_size must be at least 1. Received: 0"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: 4", "must be ascending and end with"),
        (
            "max_batch_size { value: 8 } allowed_batch_sizes: [8, 4, 8]",
            "must be ascending and end with",
        ),
        ("batch_timeout_micros { value: -1 }", "must not be negative"),
    ],
)
def test_invalid_value_is_named(tmp_path, text, message):
    with pytest.raises(UserError, match="batching=") as error:
        _read(tmp_path, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="batching=.*No such file"):
        read_batching(str(tmp_path / "none"))
