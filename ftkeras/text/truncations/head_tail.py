"""Keep the beginning and the end of a text."""

from typing import Any

import tensorflow as tf

from ftkeras.support import bounds


class HeadTail:
    """Keep the first min(head, limit) pieces of each text and the last limit - head pieces.

    A text of at most `limit` pieces is kept whole. Source: Sun et al., 2019, section 5.3.1,
    https://arxiv.org/abs/1905.05583: the first 128 and the last 382 of 510 did best on IMDb.

    Args:
        head: the number of pieces to keep from the beginning; at least 1.

    Call: as in `Truncation`.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    cuts_windows, cut_side = False, None

    def __init__(self, *, head: int = 128):
        bounds.integer(1, head=head)
        self.head = int(head)

    def __call__(self, pieces: tf.RaggedTensor, limit: int | tf.Tensor) -> tf.RaggedTensor:
        """Return the first `head` and the last pieces of each row, `limit` in all."""
        starts, ends = pieces.row_starts(), pieces.row_limits()
        lengths = tf.minimum(pieces.row_lengths(), tf.cast(limit, starts.dtype))
        first = tf.minimum(lengths, self.head)
        head = tf.ragged.range(starts, starts + first)
        tail = tf.ragged.range(ends - (lengths - first), ends)
        return tf.gather(pieces.flat_values, tf.concat([head, tail], axis=1))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"head": self.head}
