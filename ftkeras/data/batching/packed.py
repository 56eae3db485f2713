from collections.abc import Sequence

import numpy as np

from ftkeras.data.batching import _rows

# Rows are as long as this many tokens divide, for which matrix products are fastest.
MULTIPLE = 8


class Packed:
    """Several texts in one row, each for itself: batches of one shape, with little padding.

    An epoch lines the examples up by length, those of equal length in random order, and cuts the
    line into as many strata as a batch has examples. A batch has one text of each stratum, drawn at
    random, so texts of all lengths meet in it, anew in every epoch. The strata are packed into rows
    once, each by its longest text, first fit: the same packing holds every batch, whatever it
    drew, and so the number of batches and their shape are the same in every epoch.

    The inputs have `starts`, where each text of a row begins; an encoder lets a token see its own
    text only and counts positions from its text's beginning, so logits are those of the text alone.

    Args:
        batch_size: examples a batch; positive. Where that does not divide them, some batches have
            fewer.
        batch_tokens: tokens a batch at most, padding counted; where both are given, both hold, and
            where neither would let a part have a row, it has one.
        pad_id: the id of [PAD].
        max_length: most tokens of a text. A row is as long as the longest there is.
        parts: into how many a batch is split by its rows, one a replica and micro-batch; positive.
        row_parts: names of parts of the run that take each row for one text; there must be none.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    fixed_shape = True

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
                f"{', '.join(row_parts)} takes each row for one text; packed rows hold several; "
                "bucketed would do."
            )
        sizes = {"batch_size": batch_size, "batch_tokens": batch_tokens}
        _rows.check_sizes(**sizes, parts=parts, max_length=max_length)
        self.batch_size, self.batch_tokens, self.parts = batch_size, batch_tokens, parts
        self.pad_id, self.max_length = pad_id, max_length

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """The positions of each part of each batch, [rows, texts a row]; `order` is a permutation.

        >>> four = Packed(batch_size=4, pad_id=0, max_length=64)
        >>> four.plan(np.array([10, 60, 50, 9]), np.array([3, 1, 0, 2]))
        [[array([[ 1, -1],
               [ 2,  0],
               [ 3, -1]])]]
        """
        descending = np.sort(lengths)[::-1]
        batches, layout = self._layout(descending)
        strata = _drawn(lengths, order, batches)
        nothing = np.full((1, batches), -1)
        columns = np.concatenate([strata, nothing]).T  # so that a layout's -1 finds a -1
        return [list(column[layout]) for column in columns]

    def collate(self, examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """`token_ids` and, for pairs, `segment_ids`, int32 [rows, length], and `starts`."""
        length = self._row_length(examples.longest)
        arrays, starts = _rows.packed(examples, positions, length, pad_id=self.pad_id)
        return {**arrays, "starts": starts}

    def _row_length(self, longest: int) -> int:
        return int(_rows.rounded(longest, MULTIPLE, self.max_length))

    def _layout(self, descending: np.ndarray) -> tuple[int, np.ndarray]:
        """How many batches, and a batch's strata by part, row and slot, -1 where none stands."""
        examples, length = len(descending), self._row_length(descending[0])
        most = np.inf
        batches = 1 if self.batch_size is None else -(-examples // self.batch_size)
        if self.batch_tokens is not None:
            most = max(1, self.batch_tokens // (self.parts * length)) * self.parts
            batches = max(batches, -(-int(descending.sum()) // (most * length)))
        while len(rows := _first_fit(descending[::batches], length)) > most:
            batches += 1 + batches // 200  # within half a percent of as few as there could be
        return batches, _dealt(rows, self.parts)


def _first_fit(lengths: np.ndarray, capacity: int) -> list[list[int]]:
    """Rows of indices into `lengths`, each index in the first row that has room."""
    rows, free = [], np.full(len(lengths), capacity)
    for index, length in enumerate(lengths):
        row = int(np.argmax(free >= length))
        if row == len(rows):
            rows.append([])
        rows[row].append(index)
        free[row] -= length
    return rows


def _dealt(rows: list[list[int]], parts: int) -> np.ndarray:
    """Rows as an array [parts, rows, slots], filled up with -1, dealt out to the parts in turn."""
    each, slots = -(-len(rows) // parts), max(map(len, rows))
    table = np.full((each * parts, slots), -1)
    for row, indices in zip(table, rows, strict=False):
        row[: len(indices)] = indices
    return table.reshape(each, parts, slots).swapaxes(0, 1)


def _drawn(lengths: np.ndarray, order: np.ndarray, batches: int) -> np.ndarray:
    """Positions [strata, batches]: a stratum's texts are of like length, in random order."""
    line = order[np.argsort(-lengths[order], kind="stable")]
    rank = np.argsort(order)
    missing = -len(line) % batches
    strata = np.concatenate([line, np.full(missing, -1)]).reshape(-1, batches)
    ranks = np.where(strata >= 0, rank[strata], len(order))
    return np.take_along_axis(strata, np.argsort(ranks, axis=1, kind="stable"), axis=1)
