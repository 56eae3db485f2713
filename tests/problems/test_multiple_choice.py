"""Multiple choice: metrics of answers that the model can't tell."""

import numpy as np
import pytest

from ftkeras.problems.multiple_choice import MultipleChoice


def test_model_that_scores_all_options_the_same_ranks_the_right_one_in_the_middle():
    problem = MultipleChoice(labels=tuple("abcd"))
    outputs = np.full((6, 4), 0.3, np.float32)
    outputs[:, 3] = -1e4  # an option that the question lacks
    outputs[1] += np.float32([2e-7, 0, 0, 0])
    found = problem.metrics(np.arange(6) % 3, outputs, lambda *_: np.float32(1.0))
    assert found["mrr"] == pytest.approx(1 / 2)
    assert found["guessing"] == pytest.approx(1 / 3)
