"""Multiple choice: metrics of answers that the model can't tell."""

import numpy as np
import pytest

from ftkeras.problems.multiple_choice import MultipleChoice


def test_answers_fit_beside_the_columns_of_questions_with_answers():
    problem = MultipleChoice(labels=tuple("ab"))
    columns = problem.answer_columns()
    assert not columns.keys() & {"question", "choices", "options", "answer", "label"}
    scores = {"score": 0.75, "options": [b"I", b"you"], "probabilities": [0.25, 0.75]}
    cells = problem.answer_cells(problem.answer({"label": b"you", "answer": 1, **scores}))
    assert dict(zip(columns, cells, strict=True))["predicted_answer"] == 1
    assert [type(cell) for cell in cells] == list(columns.values())


def test_model_that_scores_all_options_the_same_ranks_the_right_one_in_the_middle():
    problem = MultipleChoice(labels=tuple("abcd"))
    outputs = np.full((6, 4), 0.3, np.float32)
    outputs[:, 3] = -1e4  # an option that the question lacks
    outputs[1] += np.float32([2e-7, 0, 0, 0])
    found = problem.metrics(np.arange(6) % 3, outputs, lambda *_: np.float32(1.0))
    assert found["mrr"] == pytest.approx(1 / 2)
    assert found["guessing"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(("largest", "gap", "first"), [(1, 4e-6, 1), (1000, 2e-4, 1 / 1.5)])
def test_only_rounding_errors_make_scores_the_same(largest, gap, first):
    problem = MultipleChoice(labels=tuple("ab"))
    outputs = np.float32([[gap, 0], [0, largest]])
    found = problem.metrics(np.array([0, 1]), outputs, lambda *_: np.float32(1.0))
    assert found["mrr"] == pytest.approx((first + 1) / 2)


def test_outputs_that_are_no_numbers_are_measured():
    outputs = np.full((2, 2), np.nan, np.float32)
    found = MultipleChoice(labels=tuple("ab")).metrics(
        np.array([0, 1]), outputs, lambda *_: np.float32(np.nan)
    )
    assert np.isnan(found["loss"])
    assert found["guessing"] == 0.5
