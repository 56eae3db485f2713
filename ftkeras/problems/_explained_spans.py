"""The part of a question answerer about the tokens by which an answer is found."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from ftkeras.problems import _span_graph

Tensor = Any


class ExplainedSpans(Protocol):
    """Members of a problem whose answer is the best span of a context, or that there is none.

    Attributes:
        explains_spans: True.
        no_answer: whether a question may have no answer.
        threshold: the score of no answer less that of the best span above which there is none.
    """

    explains_spans: ClassVar[bool] = True
    no_answer: bool
    threshold: float

    @property
    def search(self) -> dict[str, Any]:
        """The settings of the search for the best spans; see `_span_graph.find`."""
        ...

    def evidence(self, outputs: Tensor, chosen: Tensor) -> Tensor:
        """Return log p_start(i) + log p_end(j) in a row, of the span that begins at i, ends at j.

        Args:
            outputs: [rows, length, 2].
            chosen: i · length + j of each row, int64 [rows]; 0 for no answer.
        """
        import tensorflow as tf

        length = tf.shape(outputs, tf.int64)[1]
        places = tf.stack([chosen // length, chosen % length], axis=1)
        log_p = tf.transpose(tf.nn.log_softmax(outputs, axis=1), [0, 2, 1])
        return tf.reduce_sum(tf.gather(log_p, places, batch_dims=2), axis=1)

    def explained_spans(
        self, outputs: Tensor, windows: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the window of each answer, and its span; of no answer, the surest window."""
        import tensorflow as tf

        about = (windows[n] for n in ("word_starts", "word_ends", "first_pieces", "window_counts"))
        place = _span_graph.locate(outputs, *about, **self.search)
        none = place.logit <= _span_graph.FORBIDDEN / 2
        if self.no_answer:
            none |= place.null - place.logit > self.threshold
        length = tf.shape(outputs)[1]
        span = tf.where(none, 0, place.first * length + place.last)
        return tf.where(none, place.null_window, place.window), tf.cast(span, tf.int64)
