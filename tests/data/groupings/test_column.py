import tracemalloc
from typing import Any

import numpy as np

from ftkeras.data.groupings.column import Column

EXAMPLES: Any = None  # a column groups them by its values alone


def _groups(values) -> np.ndarray:
    return Column(name="author").groups(EXAMPLES, lambda name: np.array(values, dtype=object))


def test_groups_are_numbered_in_the_order_of_their_values():
    values = np.random.default_rng(0).choice(
        ["Zoë", "ana", "Ärzte", "10", "9", "", "\U0001f40d"], 50
    )
    expected = np.unique(values, return_inverse=True)[1]
    np.testing.assert_array_equal(_groups(values.tolist()), expected)


def test_values_that_end_differently_are_different_groups():
    assert _groups(["a", "a\0", "a "]).tolist() == [0, 1, 2]


def test_one_long_value_does_not_take_its_room_for_all():
    values = [*map(str, range(2000)), "long" * 500]
    tracemalloc.start()
    groups = _groups(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(np.unique(groups)) == len(values)
    assert peak < 1 << 20
