"""The multiple-choice head."""

import numpy as np
import pytest

from ftkeras.heads.multiple_choice import MultipleChoice
from ftkeras.support.absent import ABSENT_LOGIT

POOLED = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
# Two questions with three rows, the last of which is no option of the first question.
MASK = np.array([[1, 1], [1, 0], [0, 0], [1, 0], [1, 1], [1, 1]], bool)


@pytest.fixture
def head():
    head = MultipleChoice(outputs=3, seed=1)
    head.build({"first": (None, 4)})
    return head


def test_each_option_has_the_score_of_its_row(head):
    scores = np.array(head({"pooled": POOLED}, MASK))
    expected = (POOLED @ np.array(head.kernel) + np.array(head.bias)).reshape(2, 3)
    assert scores[0, 2] == ABSENT_LOGIT
    expected[0, 2] = ABSENT_LOGIT
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)


def test_head_is_made_again_from_its_configuration(head):
    again = MultipleChoice.from_config(head.get_config())
    assert again.get_config() == head.get_config()
    assert again.options == 3


@pytest.mark.parametrize("wrong", [{"outputs": 1}, {"outputs": 2, "dropout": 1.0}])
def test_bad_argument_is_named(wrong):
    with pytest.raises(ValueError, match=f"`{list(wrong)[-1]}`"):
        MultipleChoice(**wrong)
