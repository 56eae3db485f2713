"""Cut a long text into windows that overlap."""

from typing import Any

import tensorflow as tf

from ftkeras.support import bounds
from ftkeras.text.truncations.head import Head


class Windows(Head):
    """Cut a text that is too long into windows, each of which the model reads by itself.

    Of a pair, the second text is cut, and each window has the first one before it; a first text
    that fills more than half of the room keeps its beginning. The answer is that of all windows
    together. Only question answering can do that.

    Args:
        overlap: how many pieces a window shares with the one before it; not negative. A window
            shares at most half of its pieces.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    cuts_windows = True

    def __init__(self, *, overlap: int = 128):
        bounds.integer(0, overlap=overlap)
        self.overlap = overlap

    def cut(self, lengths: tf.Tensor, rooms: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return the windows of texts: which text, first piece and end of each.

        Window n starts at piece n (room - overlap). The last one is the first that reaches the end
        of the text; a text without pieces has one empty window.
        Source: Devlin et al., 2019, run_squad.py, https://github.com/google-research/bert.

        Args:
            lengths: pieces of each text, int64 [batch].
            rooms: the most pieces of a window of each text, at least 1, int64 [batch].

        Returns:
            Text, first piece and the piece after the last, int64 [windows].

        >>> two = tf.constant([5, 2], tf.int64), tf.constant([3, 3], tf.int64)
        >>> [part.numpy().tolist() for part in Windows(overlap=1).cut(*two)]
        [[0, 0, 1], [0, 2, 0], [3, 5, 2]]
        """
        steps = rooms - tf.minimum(tf.cast(self.overlap, tf.int64), rooms // 2)
        counts = 1 - (tf.minimum(rooms - lengths, 0) // steps)
        text = tf.repeat(tf.range(tf.size(lengths, tf.int64)), counts)
        number = tf.ragged.range(counts).flat_values
        firsts = number * tf.gather(steps, text)
        ends = tf.minimum(firsts + tf.gather(rooms, text), tf.gather(lengths, text))
        return text, firsts, ends

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"overlap": self.overlap}
