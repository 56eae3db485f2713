"""Keep the beginning."""

import tensorflow as tf


class Head:
    """The first `limit` pieces of each text.

    Call: pieces, ragged [batch, (pieces)]; limit, integer () or [batch], pieces a text at most, not
    negative -> ragged [batch, (min(pieces, limit))].
    """

    def __call__(self, pieces: tf.RaggedTensor, limit) -> tf.RaggedTensor:
        """The first `limit` pieces of each row."""
        starts = pieces.row_starts()
        kept = tf.minimum(pieces.row_lengths(), tf.cast(limit, starts.dtype))
        return tf.gather(pieces.flat_values, tf.ragged.range(starts, starts + kept))

    def get_config(self) -> dict:
        """The arguments that make it again."""
        return {}
