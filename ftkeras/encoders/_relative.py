"""Relative positions: attention scores that depend on the distance from the key to the query.

The encoder learns a table with a row for each bucket of distances, which all layers share. As
distances are differences of positions in a row, texts that are packed into one row need no change.
"""

import dataclasses
import math
from typing import Any

import numpy as np
from keras import ops

Tensor = Any


@dataclasses.dataclass(frozen=True)
class RelativePositions:
    """The rows of a table that belong to distances r, the query's position less the key's.

    Args:
        positions: the most tokens in a row.
    """

    positions: int
    is_projected = False  # whether layers project the table's rows; else it has a column per head

    @property
    def rows(self) -> int:
        """The number of rows of the table."""
        raise NotImplementedError

    def row_of(self, distances: np.ndarray) -> np.ndarray:
        """Return the rows of the table that belong to distances, integers."""
        raise NotImplementedError

    def falling(self, length: Any) -> Any:
        """Return the rows of the distances length - 1, …, 0, …, -length; integers [2 * length]."""
        distances = np.arange(self.positions - 1, -self.positions - 1, -1)
        return self._middle(distances, length)

    def rising(self, length: Any) -> Any:
        """Return the rows of the distances -(length - 1), …, 0, …, length."""
        distances = np.arange(-self.positions + 1, self.positions + 1)
        return self._middle(distances, length)

    def _middle(self, distances: np.ndarray, length: Any) -> Any:
        rows = self.row_of(distances)
        rows = rows if isinstance(length, int) else ops.convert_to_tensor(rows)
        return rows[self.positions - length : self.positions + length]

    def from_first_token(self, positions: Tensor) -> Tensor:
        """Return the rows for a text's first token as the query, and keys at these positions."""
        return ops.take(self.row_of(-np.arange(self.positions)), positions, axis=0)


class ScoreBias(RelativePositions):
    """One number for each head and bucket, added to the scores, as in T5 and MPNet.

    Of 32 buckets, half are for keys after the query. Of these 16, one is for each distance below 8,
    and the others grow with the logarithm of the distance, up to 128.

    Source: Raffel et al., 2020, section 2.1, https://arxiv.org/abs/1910.10683.
    """

    buckets, furthest = 32, 128

    @property
    def rows(self) -> int:
        """The number of rows of the table."""
        return self.buckets

    def row_of(self, distances: np.ndarray) -> np.ndarray:
        """Return the rows of the table that belong to distances, integers."""
        half = self.buckets // 2
        exact = half // 2
        size = np.abs(distances)
        # In float32 and in this order, like the reference, as some results are next to an integer.
        steps = np.log(np.maximum(size, 1).astype("float32") / np.float32(exact))
        steps = steps / np.float32(math.log(self.furthest / exact)) * np.float32(half - exact)
        far = np.minimum(exact + steps.astype("int32"), half - 1)
        return (np.where(size < exact, size, far) + half * (distances < 0)).astype("int32")


@dataclasses.dataclass(frozen=True)
class Disentangled(RelativePositions):
    """Scores between contents and relative positions, as in DeBERTa.

    s_ij = (q_i k_j' + q_i K(r)' + k_j Q(r)') / sqrt(3 d),    r = i - j

    where Q(r) and K(r) are the table's row for r, projected by the layer's query and key kernels.
    Distances up to half the buckets have a row each, and the others grow with the logarithm.

    Source: He et al., 2021, https://arxiv.org/abs/2006.03654, section 3.1; buckets as in their
    code, https://github.com/microsoft/DeBERTa.

    Args:
        buckets: rows for keys before the query, and as many for those after it; 0 for one row for
            each distance.
        furthest: the distance at which the buckets end.
    """

    buckets: int = 256
    furthest: int = 512
    is_projected = True

    @property
    def span(self) -> int:
        """The row that belongs to the distance 0, half of the rows."""
        return self.buckets or self.furthest

    @property
    def rows(self) -> int:
        """The number of rows of the table."""
        return 2 * self.span

    def row_of(self, distances: np.ndarray) -> np.ndarray:
        """Return the rows of the table that belong to distances, integers."""
        bucket = distances
        if self.buckets:
            middle = self.buckets // 2
            size = np.maximum(np.abs(distances), middle).astype("float32")
            # In float32 and in this order, like the reference.
            steps = np.log(size / np.float32(middle))
            # All tokens may be within the middle, so that nothing grows with the logarithm.
            furthest = max(self.furthest, middle + 2)
            steps = steps / np.log(np.float32((furthest - 1) / middle))
            far = np.ceil(steps * np.float32(middle - 1)) + middle
            bucket = np.where(np.abs(distances) <= middle, distances, far * np.sign(distances))
        return np.clip(bucket + self.span, 0, self.rows - 1).astype("int32")

    def used(self, length: Any) -> tuple[Any, Any]:
        """Return the first row that texts of a length use, and the row after the last one."""
        return self.falling(length)[-1], self.rising(length)[-1] + 1

    def scores(
        self, query: Tensor, key: Tensor, queries: Tensor, keys: Tensor, length: Any
    ) -> Tensor:
        """Return q_i K(r)' + k_j Q(r)', [batch, heads, length, length].

        Args:
            query: of the texts, [batch, heads, length, size].
            key: of the texts.
            queries: of the rows that texts of this length use, [heads, rows, size].
            keys: of these rows.
            length: of the texts.
        """
        first, _ = self.used(length)
        keys = ops.take(keys, self.falling(length) - first, axis=1)
        queries = ops.take(queries, self.rising(length) - first, axis=1)
        by_key, by_query = shift(_products(query, keys)), shift(_products(key, queries))
        return by_key + ops.swapaxes(by_query, -1, -2)

    def from_first_token_to(
        self, positions: Tensor, queries: Tensor, keys: Tensor, length: Any
    ) -> tuple[Tensor, Tensor]:
        """Return Q(r) and K(r) for a text's first token and each key, [batch or 1, heads, L, size].

        Args:
            positions: of the keys within their texts, [batch or 1, length].
            queries: as for `scores`.
            keys: as for `scores`.
            length: of the rows.
        """
        rows = self.from_first_token(positions) - self.used(length)[0]
        return tuple(
            ops.transpose(ops.take(part, rows, axis=1), (1, 0, 2, 3)) for part in (queries, keys)
        )


def score_bias(table: Tensor, relative: RelativePositions, length: Any) -> Tensor:
    """Return the scores that a table [rows, heads] adds, [1, heads, length, length]."""
    values = ops.transpose(ops.take(table, relative.falling(length), axis=0))
    wide = ops.broadcast_to(values[:, None], (ops.shape(table)[1], length, 2 * length))
    return shift(wide)[None]


def shift(x: Tensor) -> Tensor:
    """Return y_ij = x_ic with c = length - 1 - i + j: [..., length, 2 length] -> square.

    If the columns of x are the distances from length - 1 down to -length, the element of y is that
    of the distance i - j. It is a reshape, which costs much less than a gather, also in gradients.
    Source: Dai et al., 2019, https://arxiv.org/abs/1901.02860, appendix B.
    """
    shape = ops.shape(x)
    rest, length, columns = shape[:-2], shape[-2], shape[-1]
    flat = ops.reshape(x, (*rest, length * columns))
    flat = flat[..., length - 1 : length - 1 + length * (columns - 1)]
    return ops.reshape(flat, (*rest, length, columns - 1))[..., :length]


def _products(states: Tensor, rows: Tensor) -> Tensor:
    """Return the product of each state with each row, [batch, heads, length, rows].

    Args:
        states: [batch, heads, length, size].
        rows: [heads, rows, size].
    """
    if rows.shape[0] == 1:
        # In matmul, TensorFlow 2.21 on a CPU writes beyond the result of a single broadcast head.
        return ops.tensordot(states, rows[0], axes=[[3], [1]])
    return ops.matmul(states, ops.swapaxes(rows, -1, -2)[None])
