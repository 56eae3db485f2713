"""Sources: where examples come from. A source reads one split."""

from typing import Protocol

import tensorflow as tf


class Source(Protocol):
    """The interface of a source."""

    def read(self) -> tf.data.Dataset:
        """Return a finite dataset in an order that never changes.

        Its elements are {"text": string (), "label": the answer} and, for pairs, "pair": string ().

        Raises:
            UserError: if the data can't be read.
        """
        ...
