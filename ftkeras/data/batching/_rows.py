"""Examples to rows of token ids: what the batchings share."""

import numpy as np

from ftkeras.support import bounds


def rounded(lengths: np.ndarray, multiple: int, longest: int) -> np.ndarray:
    """Lengths up to the next multiple, but not above `longest`; so few different ones.

    >>> rounded(np.array([3, 16, 17, 40]), 16, 40)
    array([16, 16, 32, 40])
    """
    return np.minimum(-(-lengths // multiple) * multiple, longest)


def check_sizes(**sizes: int | None) -> None:
    """Refuses what is neither None nor an integer of at least 1."""
    bounds.whole(1, **{name: size for name, size in sizes.items() if size is not None})


def padded(examples, positions: np.ndarray, length: int, *, pad_id: int) -> dict[str, np.ndarray]:
    """A row an example.

    Args:
        examples: the view that the positions are of.
        positions: integer [batch]; below 0 for a row of padding.
        length: of the rows; no example is longer.
        pad_id: the id of [PAD].

    Returns:
        `token_ids` and, for pairs, `segment_ids`, int32 [batch, length].
    """
    return packed(examples, positions[:, None], length, pad_id=pad_id)[0]


def packed(
    examples, positions: np.ndarray, length: int, *, pad_id: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A row of examples end to end.

    Args:
        examples: the view that the positions are of.
        positions: integer [batch, texts a row]; below 0 where no example stands.
        length: of the rows; no row holds more tokens.
        pad_id: the id of [PAD].

    Returns:
        `token_ids` and, for pairs, `segment_ids`, int32 [batch, length]; and where each text
        starts, int32 [batch, texts a row].
    """
    lengths = lengths_at(examples, positions)
    starts = np.cumsum(lengths, axis=1) - lengths
    token_ids = np.full((len(positions), length), pad_id, np.int32)
    segment_ids = np.zeros_like(token_ids) if examples.pairs else None
    for row, slot in zip(*np.nonzero(positions >= 0), strict=True):
        start, stop = starts[row, slot], starts[row, slot] + lengths[row, slot]
        token_ids[row, start:stop] = examples.ids(positions[row, slot])
        if examples.pairs:
            second = examples.seconds[examples.rows[positions[row, slot]]]
            segment_ids[row, start + second : stop] = 1
    arrays = {"token_ids": token_ids}
    if examples.pairs:
        arrays["segment_ids"] = segment_ids
    return arrays, starts.astype(np.int32)


def lengths_at(examples, positions: np.ndarray) -> np.ndarray:
    """Tokens of the examples at these positions, 0 where there is none."""
    rows = examples.rows[positions]
    return np.where(positions >= 0, examples.offsets[rows + 1] - examples.offsets[rows], 0)
