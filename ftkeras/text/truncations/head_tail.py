"""Keep the beginning and the end."""

import tensorflow as tf


class HeadTail:
    """The first min(head, limit) pieces of each text, and the last limit - head.

    A text of at most `limit` pieces stays whole. Source: Sun et al., 2019, section 5.3.1,
    https://arxiv.org/abs/1905.05583: the first 128 and the last 382 of 510 did best on IMDb.

    Args:
        head: pieces kept from the beginning; at least 1.

    Call: pieces, ragged [batch, (pieces)]; limit, integer () or [batch], pieces a text at most, not
    negative -> ragged [batch, (min(pieces, limit))].

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, head: int = 128):
        if not isinstance(head, int) or isinstance(head, bool) or head < 1:
            raise ValueError(f"`head` must be an integer of at least 1. Received: {head!r}.")
        self.head = head

    def __call__(self, pieces: tf.RaggedTensor, limit) -> tf.RaggedTensor:
        """The first `head` and the last pieces of each row, `limit` in all."""
        starts, ends = pieces.row_starts(), pieces.row_limits()
        kept = tf.minimum(pieces.row_lengths(), tf.cast(limit, starts.dtype))
        first = tf.minimum(kept, self.head)
        begin = tf.ragged.range(starts, starts + first)
        end = tf.ragged.range(ends - (kept - first), ends)
        return tf.gather(pieces.flat_values, tf.concat([begin, end], axis=1))

    def get_config(self) -> dict:
        """The arguments that make it again."""
        return {"head": self.head}
