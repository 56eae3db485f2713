"""Cut a long text into windows that overlap."""

from typing import Any, NamedTuple

import tensorflow as tf

from ftkeras.support import bounds
from ftkeras.text.truncations.head import Head

_COMBINE = {"mean": tf.math.segment_mean, "max": tf.math.segment_max}


class Cut(NamedTuple):
    """The windows of a batch of texts, those of each text one after the other.

    Attributes:
        texts: the text that each window is of, int64 [windows].
        firsts: its first piece, int64 [windows].
        ends: the piece after its last one, int64 [windows].
        counts: the windows of each text, at least 1, int64 [batch].
    """

    texts: tf.Tensor
    firsts: tf.Tensor
    ends: tf.Tensor
    counts: tf.Tensor

    def take(self, pieces: tf.RaggedTensor) -> tf.RaggedTensor:
        """Return the pieces of each window, ragged [windows, (pieces)].

        Args:
            pieces: of each text, or what is known of them, ragged [batch, (pieces)].
        """
        before = tf.gather(pieces.row_starts(), self.texts)
        places = tf.ragged.range(before + self.firsts, before + self.ends)
        return tf.gather(pieces.flat_values, places)

    def has_most_context(self) -> tf.RaggedTensor:
        """Return which pieces are farther from a cut than in any other window.

        Each piece of a text is so in one window: the pieces that two windows share are divided in
        the middle. The start and the end of the text are no cuts.

        Returns:
            Bool ragged [windows, (pieces)].

        >>> two = tf.constant([5], tf.int64), tf.constant([3], tf.int64)
        >>> Windows(overlap=1).cut(*two).has_most_context().to_list()
        [[True, True, True], [False, True, True]]
        """
        is_next = self.texts[1:] == self.texts[:-1]
        shared = tf.where(is_next, self.ends[:-1] - self.firsts[1:], 0)
        # Of an odd number, the earlier window gets one more.
        skipped = tf.pad(shared + 1, [[1, 0]])[: tf.size(self.texts)] // 2
        dropped = tf.pad(shared, [[0, 1]])[: tf.size(self.texts)] // 2
        pieces = tf.ragged.range(self.firsts, self.ends)
        flat, window = pieces.flat_values, pieces.value_rowids()
        is_behind = flat >= tf.gather(self.firsts + skipped, window)
        is_before = flat < tf.gather(self.ends - dropped, window)
        return pieces.with_flat_values(is_behind & is_before)

    def columns(self) -> dict[str, tf.Tensor]:
        """Return the outputs of the text layer about windows.

        "first_pieces", int32 [windows]: the pieces of the text before each window's first one.
        "window_counts", int32 [batch]: the windows of each text.
        """
        return {
            "first_pieces": tf.cast(self.firsts, tf.int32),
            "window_counts": tf.cast(self.counts, tf.int32),
        }


class Windows(Head):
    """Cut a text that is too long into windows, which the model reads separately.

    The answers of all windows are combined:

    - classes, labels and numbers: the mean, or the maximum, of the windows' logits or numbers. With
      `combine='mean'`, the probabilities of classes are the normalized geometric means of the
      windows' probabilities. `combine='max'` suits labels that a single passage decides.
    - tags: each word is tagged in the window in which it is farthest from a cut.
    - answers to questions: the best answer in any window.

    For a pair, the second text is cut, and each window starts with the first text. If both texts
    fill more than half of the window, only the beginning of the first one is kept.

    Args:
        overlap: number of pieces that a window shares with the one before it, at most half of its
            pieces; not negative.
        combine: 'mean' or 'max' of the outputs for the windows of a text.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    cuts_windows, cut_side = True, "right"

    def __init__(self, *, overlap: int = 128, combine: str = "mean"):
        bounds.integer(0, overlap=overlap)
        bounds.choice(_COMBINE, combine=combine)
        self.overlap, self.combine = int(overlap), combine

    def cut(self, lengths: tf.Tensor, rooms: int | tf.Tensor) -> Cut:
        """Return the starts and ends of the windows of texts.

        Window n starts at piece n (room - overlap). The last one is the first that reaches the end
        of the text; a text without pieces has one empty window.
        Source: Devlin et al., 2019, run_squad.py, https://github.com/google-research/bert.

        Args:
            lengths: pieces of each text, int64 [batch].
            rooms: the most pieces of a window of each text, at least 1, integer () or [batch].

        >>> two = tf.constant([5, 2], tf.int64), tf.constant([3, 3], tf.int64)
        >>> [part.numpy().tolist() for part in Windows(overlap=1).cut(*two)]
        [[0, 0, 1], [0, 2, 0], [3, 5, 2], [2, 1]]
        """
        rooms = tf.broadcast_to(tf.cast(rooms, tf.int64), tf.shape(lengths))
        steps = rooms - tf.minimum(tf.cast(self.overlap, tf.int64), rooms // 2)
        counts = 1 - (tf.minimum(rooms - lengths, 0) // steps)
        text = tf.repeat(tf.range(tf.size(lengths, tf.int64)), counts)
        number = tf.ragged.range(counts).flat_values
        firsts = number * tf.gather(steps, text)
        ends = tf.minimum(firsts + tf.gather(rooms, text), tf.gather(lengths, text))
        return Cut(text, firsts, ends, counts)

    def combine_outputs(self, outputs: Any, counts: Any) -> tf.Tensor:
        """Return the outputs for texts from those for their windows.

        Args:
            outputs: float [windows, …], the windows of each text one after the other.
            counts: the windows of each text, at least 1, integer [batch].

        Returns:
            Float [batch, …].

        >>> Windows().combine_outputs(tf.constant([[1.0], [3.0], [5.0]]), [2, 1]).numpy().tolist()
        [[2.0], [5.0]]
        """
        return _COMBINE[self.combine](outputs, tf.repeat(tf.range(tf.size(counts)), counts))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"overlap": self.overlap, "combine": self.combine}
