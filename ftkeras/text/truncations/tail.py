"""Keep the end of a text."""

from typing import Any

import tensorflow as tf


class Tail:
    """Keep the last `limit` pieces of each text.

    Call: as in `Truncation`.
    """

    cuts_windows, cut_side = False, "left"

    def __call__(self, pieces: tf.RaggedTensor, limit: int | tf.Tensor) -> tf.RaggedTensor:
        """Return the last `limit` pieces of each row."""
        ends = pieces.row_limits()
        lengths = tf.minimum(pieces.row_lengths(), tf.cast(limit, ends.dtype))
        return tf.gather(pieces.flat_values, tf.ragged.range(ends - lengths, ends))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}
