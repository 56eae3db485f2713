"""Rows of different lengths behave as a list of arrays."""

import numpy as np

from ftkeras.support.ragged import Ragged

ROWS = [[1, 2], [], [3], [1, 2]]
RAGGED = Ragged.from_lengths(np.array([1, 2, 3, 1, 2]), np.array([2, 0, 1, 2]))


def _lists(rows) -> list[list[int]]:
    return [row.tolist() for row in rows]


def test_rows_views_and_values():
    assert _lists(RAGGED) == ROWS
    assert RAGGED[3].tolist() == [1, 2]
    view = RAGGED[np.array([2, 0, 2])]
    assert _lists(view) == [[3], [1, 2], [3]]
    assert _lists(view[1:]) == [[1, 2], [3]]
    assert view.flat().tolist() == [3, 1, 2, 3]
    assert view.lengths.tolist() == [1, 2, 1]
    assert RAGGED[np.array([], int)].flat().tolist() == []


def test_equal_rows_have_equal_numbers():
    first, empty, other, again = RAGGED.numbered()
    assert first == again
    assert len({first, empty, other}) == 3


def test_bytes_tell_views_apart():
    shifted = Ragged.from_lengths(RAGGED.values, np.array([1, 1, 1, 2]))
    assert len({RAGGED.tobytes(), RAGGED[::-1].tobytes(), shifted.tobytes()}) == 3
