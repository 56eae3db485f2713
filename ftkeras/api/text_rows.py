"""Strings that hold several texts: the words of a sentence, the options of a question."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class TextRows:
    """A rule by which the texts of an example, such as its words, become one string.

    Attributes:
        of: what the texts are.
        separator: stands between two of them.
        separators: what separates them, as a message says it.
        count: returns the number of texts that a string holds, given strings [batch].
        least: the smallest number of them.
    """

    of: str
    separator: str
    separators: str
    count: Callable[[tf.Tensor], tf.Tensor]
    least: int = 0

    def joined(self, rows: Any, argument: str) -> tf.Tensor:
        """Return a string for each row, in the graph of a dataset.

        Args:
            rows: strings [batch]; or texts, ragged [batch, (texts)] or [batch, texts] with empty
                ones at the end of shorter rows.
            argument: the name of the argument that holds them.

        Raises:
            tf.errors.InvalidArgumentError: in the graph, if a row has other texts than these.
        """
        checks = []
        if rows.shape.rank == 2:
            texts = rows.to_tensor("") if isinstance(rows, tf.RaggedTensor) else rows
            is_text = tf.strings.length(texts) > 0
            places = tf.where(is_text, tf.range(1, tf.shape(texts)[1] + 1), 0)
            counts = tf.reduce_max(tf.pad(places, [[0, 0], [0, 1]]), axis=1)
            rows = tf.strings.reduce_join(texts, axis=1, separator=self.separator)
            found = tf.cast(self.count(rows), tf.int32)
            actual = tf.reduce_sum(tf.cast(is_text, tf.int32), axis=1)
            wrong = (found != counts) | (actual != counts)
            wanted = f"have {self.of} that are not empty and have no {self.separators}"
            checks.append(assertion(rows, wrong, f"`{argument}` must {wanted}"))
        if self.least:
            few = self.count(rows) < self.least
            wanted = f"have {self.least} or more {self.of}, separated by {self.separators}"
            checks.append(assertion(rows, few, f"`{argument}` must {wanted}"))
        with tf.control_dependencies(checks):
            return tf.identity(rows)


def assertion(rows: tf.Tensor, wrong: tf.Tensor, message: str) -> tf.Operation:
    """Return the operation that fails with a message and the first wrong row."""
    first = tf.strings.regex_replace(
        tf.concat([tf.boolean_mask(rows, wrong), [""]], 0)[0], "\n", " | "
    )
    line = tf.strings.join([f"{message}. Received: '", first, "'."])
    return tf.debugging.Assert(~tf.reduce_any(wrong), [line])
