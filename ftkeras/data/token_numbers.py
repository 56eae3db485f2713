"""Find the token at each place of a batch."""

import numpy as np


def token_numbers(
    firsts: np.ndarray, lengths: np.ndarray, positions: np.ndarray, width: int
) -> np.ndarray:
    """Return the number of the token at each place of some rows, below 0 for padding.

    Args:
        firsts: integer [examples], the number of each example's first token.
        lengths: integer [examples], the tokens of each.
        positions: integer [rows] or [rows, texts per row]; below 0 for an empty place.
        width: the length of the rows.

    Returns:
        int64 [rows, width].

    >>> token_numbers(np.array([10, 20]), np.array([2, 3]), np.array([[1, 0], [0, -1]]), 6)
    array([[20, 21, 22, 10, 11, -1],
           [10, 11, -1, -1, -1, -1]])
    """
    texts = positions.reshape(len(positions), -1)
    sizes = np.where(texts >= 0, lengths[texts], 0)
    columns, flat = np.cumsum(sizes, axis=1) - sizes, sizes.ravel()
    within = np.arange(flat.sum()) - np.repeat(np.cumsum(flat) - flat, flat)
    row = np.repeat(np.arange(len(texts)), sizes.sum(axis=1))
    numbers = np.full((len(texts), width), -1)
    stored = np.repeat(firsts[texts].ravel(), flat) + within
    numbers[row, np.repeat(columns.ravel(), flat) + within] = stored
    return numbers
