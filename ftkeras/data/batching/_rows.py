"""Lay out examples in rows of token ids: shared by all batchings."""

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.support import bounds


def round_up(lengths: np.ndarray | int, multiple: int, longest: int) -> np.ndarray:
    """Round lengths up to the next multiple, but not above `longest`.

    >>> round_up(np.array([3, 16, 17, 40]), 16, 40)
    array([16, 16, 32, 40])
    """
    return np.minimum(-(-lengths // multiple) * multiple, longest)


def check_sizes(**sizes: int | None) -> None:
    """Raise ValueError unless each size is None or an integer of at least 1."""
    bounds.integer(1, **{name: size for name, size in sizes.items() if size is not None})


def pad_rows(
    examples: Examples, positions: np.ndarray, length: int, *, pad_id: int
) -> dict[str, np.ndarray]:
    """Lay out one example per row.

    Args:
        examples: the view that the positions refer to.
        positions: integer [batch]; below 0 for a row of padding.
        length: the length of the rows. No example is longer.
        pad_id: the id of [PAD].

    Returns:
        `token_ids` and, for pairs, `segment_ids`, int32 [batch, length].
    """
    return pack_rows(examples, positions[:, None], length, pad_id=pad_id)[0]


def pack_rows(
    examples: Examples, positions: np.ndarray, length: int, *, pad_id: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Lay out several examples per row, one after the other.

    Args:
        examples: the view that the positions refer to.
        positions: integer [batch, texts per row]; below 0 for an empty place.
        length: the length of the rows. No row holds more tokens.
        pad_id: the id of [PAD].

    Returns:
        `token_ids` and, for pairs, `segment_ids`, int32 [batch, length]; and where each text
        starts in its row, int32 [batch, texts per row].
    """
    lengths = lengths_at(examples, positions)
    starts = np.cumsum(lengths, axis=1) - lengths
    arrays = {"token_ids": np.full((len(positions), length), pad_id, np.int32)}
    if examples.pairs:
        arrays["segment_ids"] = np.zeros((len(positions), length), np.int32)
    for row, slot in zip(*np.nonzero(positions >= 0), strict=True):
        start, stop = starts[row, slot], starts[row, slot] + lengths[row, slot]
        position = int(positions[row, slot])
        arrays["token_ids"][row, start:stop] = examples.ids(position)
        if examples.pairs:
            second = examples.second_starts[examples.rows[position]]
            arrays["segment_ids"][row, start + second : stop] = 1
    return arrays, starts.astype(np.int32)


def lengths_at(examples: Examples, positions: np.ndarray) -> np.ndarray:
    """Return the number of tokens of the example at each position, 0 for an empty place."""
    rows = examples.rows[positions]
    return np.where(positions >= 0, examples.offsets[rows + 1] - examples.offsets[rows], 0)
