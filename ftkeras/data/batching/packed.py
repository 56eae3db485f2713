"""Batches of rows that hold several texts each."""

from collections.abc import Sequence

import numpy as np

from ftkeras.data.batching import _rows
from ftkeras.data.examples import Examples

# The length of a row is a multiple of this, for which matrix products are fastest.
MULTIPLE = 8


class Packed:
    """Put several texts into each row, so that all batches have one shape and little padding.

    In each epoch the examples are sorted by length, with those of equal length in random order, and
    cut into as many strata as a batch has examples. Each batch gets one random text of each
    stratum, so it mixes texts of all lengths, in a new mixture in every epoch. The strata are
    packed into rows only once, by the longest text of each, first fit. This layout fits every batch
    whatever texts it gets, so the number and the shape of batches are the same in every epoch.

    The inputs contain `starts`, the position of each text in its row. The encoder masks attention
    between texts and counts positions from the start of each text, so the logits are those of the
    text alone.

    Args:
        batch_size: examples per batch; positive. If the number of examples is not a multiple, some
            batches have fewer.
        batch_tokens: the maximum number of tokens per batch, including padding. If both sizes are
            given, both limits apply. A part gets one row even if that exceeds the limit.
        pad_id: the id of [PAD].
        max_length: the maximum number of tokens per text. A row is as long as the longest text
            there is.
        parts: the number of parts that the rows of a batch are split into, one for each replica and
            micro-batch; positive.
        row_parts: names of the run's parts that expect one text per row; it must be empty.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    fixed_shape = True
    choice: str | None = None

    def __init__(
        self,
        *,
        batch_size: int | None,
        pad_id: int,
        max_length: int,
        batch_tokens: int | None = None,
        parts: int = 1,
        row_parts: Sequence[str] = (),
    ):
        if row_parts:
            raise ValueError(
                f"{', '.join(row_parts)} expects one text per row, but packed rows hold several; "
                "use bucketed."
            )
        sizes = {"batch_size": batch_size, "batch_tokens": batch_tokens}
        _rows.check_sizes(**sizes, parts=parts, max_length=max_length)
        self.batch_size, self.batch_tokens, self.parts = batch_size, batch_tokens, parts
        self.pad_id, self.max_length = pad_id, max_length

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """Return the positions of each part of each batch, [rows, texts per row].

        >>> four = Packed(batch_size=4, pad_id=0, max_length=64)
        >>> four.plan(np.array([10, 60, 50, 9]), np.array([3, 1, 0, 2]))
        [[array([[ 1, -1],
               [ 2,  0],
               [ 3, -1]])]]
        """
        descending = np.sort(lengths)[::-1]
        batches, layout = self._layout(descending)
        strata = _stratify(lengths, order, batches)
        empty = np.full((1, batches), -1)
        columns = np.concatenate([strata, empty]).T  # so that index -1 of a layout finds a -1
        return [list(column[layout]) for column in columns]

    def collate(self, examples: Examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return `token_ids`, for pairs `segment_ids`, int32 [rows, length], and `starts`."""
        length = self._row_length(examples.longest)
        arrays, starts = _rows.pack_rows(examples, positions, length, pad_id=self.pad_id)
        return {**arrays, "starts": starts}

    def _row_length(self, longest: int) -> int:
        return int(_rows.round_up(longest, MULTIPLE, self.max_length))

    def _layout(self, descending: np.ndarray) -> tuple[int, np.ndarray]:
        """Choose the number of batches and the place of each stratum in a batch.

        Args:
            descending: integer [examples], the lengths of all examples, the longest first.

        Returns:
            The number of batches; and strata by part, row and place in the row, -1 if empty.
        """
        examples, length = len(descending), self._row_length(descending[0])
        most_rows = np.inf
        batches = 1 if self.batch_size is None else -(-examples // self.batch_size)
        if self.batch_tokens is not None:
            most_rows = max(1, self.batch_tokens // (self.parts * length)) * self.parts
            batches = max(batches, -(-int(descending.sum()) // (most_rows * length)))
        while len(rows := _first_fit(descending[::batches], length)) > most_rows:
            batches += 1 + batches // 200  # at most half a percent more than necessary
        return batches, _split(rows, self.parts)


def _first_fit(lengths: np.ndarray, capacity: int) -> list[list[int]]:
    """Return rows of indices into `lengths`, each index in the first row that has room."""
    rows, free = [], np.full(len(lengths), capacity)
    for index, length in enumerate(lengths):
        row = int(np.argmax(free >= length))
        if row == len(rows):
            rows.append([])
        rows[row].append(index)
        free[row] -= length
    return rows


def _split(rows: list[list[int]], parts: int) -> np.ndarray:
    """Distribute rows over the parts in turn, as an array [parts, rows, places] padded with -1."""
    rows_per_part, places = -(-len(rows) // parts), max(map(len, rows))
    table = np.full((rows_per_part * parts, places), -1)
    for row, indices in zip(table, rows, strict=False):
        row[: len(indices)] = indices
    return table.reshape(rows_per_part, parts, places).swapaxes(0, 1)


def _stratify(lengths: np.ndarray, order: np.ndarray, batches: int) -> np.ndarray:
    """Return positions [strata, batches]: each stratum holds similar lengths in random order."""
    longest_first = order[np.argsort(-lengths[order], kind="stable")]
    rank = np.argsort(order)
    missing = -len(longest_first) % batches
    strata = np.concatenate([longest_first, np.full(missing, -1)]).reshape(-1, batches)
    ranks = np.where(strata >= 0, rank[strata], len(order))
    return np.take_along_axis(strata, np.argsort(ranks, axis=1, kind="stable"), axis=1)
