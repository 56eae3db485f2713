"""The head of a chain: packed rows, its factor, and bad arguments."""

import numpy as np
import pytest

from ftkeras.heads.crf import Crf

RANDOM = np.random.default_rng(3)
STATES = RANDOM.normal(size=(2, 6, 4)).astype(np.float32)


def test_packed_rows_give_a_row_for_each_text():
    head = Crf(classes=5, seed=1)
    alone = np.array(head({"sequence": STATES}, np.ones((2, 6))))
    membership = np.zeros((2, 2, 6), bool)
    membership[0, 0, :4] = membership[0, 1, 4:] = membership[1, 0] = True
    packed = np.array(head({"sequence": STATES, "membership": membership}, np.ones((2, 6))))
    assert packed.shape == (4, 6, 5)
    np.testing.assert_allclose(packed[0, :4], alone[0, :4])
    np.testing.assert_allclose(packed[1, :2], alone[0, 4:])
    np.testing.assert_allclose(packed[2], alone[1])


def test_transitions_learn_faster_by_their_factor():
    head = Crf(classes=5, multiplier=30.0, name="tags")
    head({"sequence": STATES}, np.ones((2, 6)))
    assert head.multipliers == (("tags/transitions$", 30.0),)


@pytest.mark.parametrize("wrong", [{"classes": 1}, {"classes": 2, "multiplier": 0.0}])
def test_bad_argument_is_named(wrong):
    with pytest.raises(ValueError, match=f"`{list(wrong)[-1]}`"):
        Crf(**wrong)
