"""Python rows as a `tf.data.Dataset`, and what went wrong in them as a `UserError`."""

import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from ftkeras.errors import UserError

# Crossing from Python to TensorFlow costs about 50 us a call, so rows cross many at a time.
_ROWS_A_CALL = 256

Example = dict[str, bytes | int]


def stream(rows: Callable[[], Iterator[Example]], *, pairs: bool = False) -> tf.data.Dataset:
    """The examples of `rows()`, in its order, never more than a chunk of them in memory.

    Args:
        rows: opens the data and yields {"text": bytes, "label": int} (and "pair": bytes); it is
            called once per pass over the dataset.
        pairs: whether the examples carry a "pair".

    Returns:
        A finite dataset of {"text": string (), "label": int64 ()} (and "pair": string ()).
    """
    types = {"text": tf.string, "label": tf.int64} | ({"pair": tf.string} if pairs else {})

    def chunks() -> Iterator[dict[str, np.ndarray]]:
        opened = rows()
        while chunk := list(itertools.islice(opened, _ROWS_A_CALL)):
            # dtype=object for strings: NumPy's own byte strings drop trailing NULs.
            yield {
                name: np.array([row[name] for row in chunk], kind.as_numpy_dtype)
                for name, kind in types.items()
            }

    signature = {name: tf.TensorSpec([None], kind) for name, kind in types.items()}
    return tf.data.Dataset.from_generator(chunks, output_signature=signature).unbatch()


def user_error(error: BaseException) -> UserError | None:
    """The `UserError` that a row raised, out of the `tf.errors.OpError` TensorFlow made of it.

    tf.data turns any Python exception into an `OpError` whose text begins with the original.
    """
    found = re.search(r"UserError: (.+)", str(error))
    return UserError(found[1]) if found else None
