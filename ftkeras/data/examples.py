"""A split's examples, as batches are made of them."""

import functools
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Examples:
    """Examples of a split: views into the arrays of its store.

    Attributes:
        token_ids: int32 [total], all texts' ids end to end.
        offsets: int64 [texts + 1], where each text's ids start.
        seconds: int32 [texts], where the second segment starts inside a text; its length if none.
        labels: int64 [texts].
        digests: uint64 [texts], a hash of each raw text.
        rows: int64 [examples], the texts of the store that this view holds.
        name: the split's name.
        source: the name of what they were read from, which may hold more.
        vectors: what an encoder has said of each text already, a `Vectors`, or None.
    """

    token_ids: np.ndarray
    offsets: np.ndarray
    seconds: np.ndarray
    labels: np.ndarray
    digests: np.ndarray
    rows: np.ndarray
    name: str
    pairs: bool
    source: str = ""
    vectors: object = None

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, positions: np.ndarray, name: str | None = None) -> "Examples":
        """The view of these of its examples."""
        return replace(self, rows=self.rows[positions], name=name or self.name)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens an example, int64 [examples]."""
        return self.offsets[self.rows + 1] - self.offsets[self.rows]

    @functools.cached_property
    def longest(self) -> int:
        """Tokens of the longest example."""
        return int(self.lengths.max())

    @property
    def own_labels(self) -> np.ndarray:
        """The label of each example, int64 [examples]."""
        return self.labels[self.rows]

    def ids(self, position: int) -> np.ndarray:
        """Token ids of one example, int32 [length]."""
        row = self.rows[position]
        return self.token_ids[self.offsets[row] : self.offsets[row + 1]]
