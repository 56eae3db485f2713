"""Move answers that are places in texts to where a redaction leaves them."""

from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.problems import Problem
from ftkeras.text.redacted_places import Places
from ftkeras.text.redactions import Redaction, replace, valid

# The text of an element in which the answers to a problem are places, by what the problem reads.
TEXTS = {"words": "text", "contexts": "pair"}


class RedactedAnswers:
    """Replaces the answers of a dataset by the same ones in the redacted texts.

    Args:
        problem: the class of the problem.
        redaction: of the texts.

    Attributes:
        left_out: how many answers share a replaced place with the one before them, and are left
            out, by text.
    """

    def __init__(self, problem: type[Problem], redaction: Redaction):
        self._problem, self._redaction = problem, redaction
        self._name = TEXTS[problem.reads]
        self.left_out: dict[bytes, int] = {}

    def move(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """Return the elements {"text", "label", …} with moved labels; the texts stay.

        Args:
            dataset: of single elements.
        """
        return dataset.map(self._moved)

    def _moved(self, element: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        text, label = element[self._name], element["label"]
        is_changed = replace(self._redaction, text) != valid(text)

        def move() -> tf.Tensor:
            moved = tf.py_function(self._move, [text, label], tf.string)
            return tf.ensure_shape(moved, label.shape)

        return {**element, "label": tf.cond(is_changed, move, lambda: label)}

    def _move(self, text: Any, label: Any) -> bytes:
        """Return the label of a text with moved places; both are eager scalars of strings."""
        places = Places(self._redaction, text[tf.newaxis])

        def move(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            first, last = places.redacted(starts[np.newaxis], ends[np.newaxis])
            return first.numpy()[0], last.numpy()[0]

        redacted: Any = places.texts[0].numpy()
        answer, left_out = self._problem.moved(label.numpy(), redacted.decode(), move)
        if left_out:
            self.left_out[text.numpy()] = left_out
        return answer
