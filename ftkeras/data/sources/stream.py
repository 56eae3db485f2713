"""Turn Python rows into a `tf.data.Dataset`, and keep the exceptions that they raise."""

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.data.generated import from_generator
from ftkeras.errors import UserError

# A call from TensorFlow into Python costs about 50 µs, so each call returns many rows.
_ROWS_PER_CALL = 256

# An example's texts by name, and its answer under "label".
Example = dict[str, Any]

# The answer of a classification: the id of a label.
LABEL = tf.TensorSpec((), tf.int64)

# The errors that were raised inside tf.data and not yet re-raised outside, by a unique mark that
# TensorFlow passes on in the message of its own error.
_errors: dict[str, UserError] = {}


def stream(
    rows: Callable[[], Iterator[Example]],
    *,
    pairs: bool = False,
    target: tf.TensorSpec = LABEL,
) -> tf.data.Dataset:
    """Return the examples of `rows()` in order, with at most a chunk of them in memory.

    tf.data replaces an exception by a `tf.errors.OpError` of its own. Read the dataset inside
    `reraise_user_errors` to get a UserError raised by `rows` as it was.

    Args:
        rows: opens the data and yields {"text": bytes, "label": answer} (and "pair": bytes). It is
            called once per pass over the dataset.
        pairs: whether the examples contain a "pair".
        target: shape and dtype of an answer.

    Returns:
        A finite dataset of {"text": string (), "label": as `target` says} (and "pair": string ()).
    """
    text = tf.TensorSpec((), tf.string)
    specs = {"text": text, "label": target} | ({"pair": text} if pairs else {})

    def chunks() -> Iterator[dict[str, np.ndarray]]:
        iterator = rows()
        while chunk := _next_chunk(iterator):
            # dtype=object for strings: NumPy's own byte strings drop trailing NULs.
            yield {
                name: np.array([row[name] for row in chunk], spec.dtype.as_numpy_dtype)
                for name, spec in specs.items()
            }

    signature = {name: tf.TensorSpec([None, *s.shape], s.dtype) for name, s in specs.items()}
    return from_generator(chunks, signature).unbatch()


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
