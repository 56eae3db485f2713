"""Round matrices to 8-bit integers, with a scale for each channel."""

import numpy as np

LARGEST = 127  # the range is symmetric, without -128


def quantize(
    matrix: np.ndarray, *, by_row: bool, largest: int = LARGEST
) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and the scales that stand for a matrix.

    q = round(w / s),  s = max |w| / largest over the channel;  w ~ q s

    The range is symmetric, so 0 stays 0. A channel is an output of a kernel, or a row of a table
    that is looked up by rows. Source: Jacob et al., 2018, https://arxiv.org/abs/1712.05877;
    Krishnamoorthi, 2018, https://arxiv.org/abs/1806.08342, section 2.

    Args:
        matrix: float32 [rows, columns].
        by_row: Whether the channels are the rows.
        largest: The largest integer, 1 to 127.

    Returns:
        q, int8 [rows, columns], and s, float32 [rows, 1] or [1, columns].

    >>> integers, scales = quantize(np.array([[1.0, 0.0], [-2.0, 0.0]], "float32"), by_row=False)
    >>> integers.tolist()
    [[64, 0], [-127, 0]]
    """
    most = np.abs(matrix).max(axis=1 if by_row else 0, keepdims=True)
    scale = np.where(most > 0, most / np.float32(largest), np.float32(1))
    return np.round(matrix / scale).astype(np.int8), scale
