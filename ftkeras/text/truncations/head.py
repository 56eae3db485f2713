"""Keep the beginning of a text."""

from typing import Any

import tensorflow as tf


class Head:
    """Keep the first `limit` pieces of each text.

    Call: as in `Truncation`.
    """

    cuts_windows, cut_side = False, "right"

    def __call__(self, pieces: tf.RaggedTensor, limit: int | tf.Tensor) -> tf.RaggedTensor:
        """Return the first `limit` pieces of each row."""
        starts = pieces.row_starts()
        lengths = tf.minimum(pieces.row_lengths(), tf.cast(limit, starts.dtype))
        return tf.gather(pieces.flat_values, tf.ragged.range(starts, starts + lengths))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}
