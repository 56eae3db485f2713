"""Turn Python rows into a `tf.data.Dataset`, and keep the exceptions that they raise."""

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from ftkeras.errors import UserError

# A call from TensorFlow into Python costs about 50 µs, so each call returns many rows.
_ROWS_PER_CALL = 256

Example = dict[str, bytes | int]

# The errors that were raised inside tf.data and not yet re-raised outside, by a unique mark that
# TensorFlow passes on in the message of its own error.
_errors: dict[str, UserError] = {}


def stream(rows: Callable[[], Iterator[Example]], *, pairs: bool = False) -> tf.data.Dataset:
    """Return the examples of `rows()` in order, with at most a chunk of them in memory.

    tf.data replaces an exception by a `tf.errors.OpError` of its own. Read the dataset inside
    `reraise_user_errors` to get a UserError raised by `rows` as it was.

    Args:
        rows: opens the data and yields {"text": bytes, "label": int} (and "pair": bytes). It is
            called once per pass over the dataset.
        pairs: whether the examples contain a "pair".

    Returns:
        A finite dataset of {"text": string (), "label": int64 ()} (and "pair": string ()).
    """
    types = {"text": tf.string, "label": tf.int64} | ({"pair": tf.string} if pairs else {})

    def chunks() -> Iterator[dict[str, np.ndarray]]:
        iterator = rows()
        while chunk := _next_chunk(iterator):
            # dtype=object for strings: NumPy's own byte strings drop trailing NULs.
            yield {
                name: np.array([row[name] for row in chunk], kind.as_numpy_dtype)
                for name, kind in types.items()
            }

    signature = {name: tf.TensorSpec([None], kind) for name, kind in types.items()}
    return tf.data.Dataset.from_generator(chunks, output_signature=signature).unbatch()


@contextlib.contextmanager
def reraise_user_errors() -> Iterator[None]:
    """Re-raise the UserError behind a `tf.errors.OpError`: the very object that `rows` raised.

    Other errors pass through. Datasets may be read by several threads at once.
    """
    try:
        yield
    except tf.errors.OpError as error:
        for mark in list(_errors):
            if mark in str(error):
                raise _errors.pop(mark) from error
        raise


def _next_chunk(iterator: Iterator[Example]) -> list[Example]:
    try:
        return list(itertools.islice(iterator, _ROWS_PER_CALL))
    except UserError as error:
        mark = f"user-error-{uuid.uuid4().hex}"
        _errors[mark] = error
        raise RuntimeError(mark) from error
