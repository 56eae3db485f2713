"""Keep the end."""

import tensorflow as tf


class Tail:
    """The last `limit` pieces of each text.

    Call: pieces, ragged [batch, (pieces)]; limit, integer () or [batch], pieces a text at most, not
    negative -> ragged [batch, (min(pieces, limit))].
    """

    def __call__(self, pieces: tf.RaggedTensor, limit) -> tf.RaggedTensor:
        """The last `limit` pieces of each row."""
        ends = pieces.row_limits()
        kept = tf.minimum(pieces.row_lengths(), tf.cast(limit, ends.dtype))
        return tf.gather(pieces.flat_values, tf.ragged.range(ends - kept, ends))

    def get_config(self) -> dict:
        """The arguments that make it again."""
        return {}
