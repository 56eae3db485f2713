"""SQuAD's rules, against the official script."""

import json
import pathlib

import numpy as np
import pytest

from ftkeras.problems import _squad

CASES = json.loads(pathlib.Path(__file__).with_name("squad.json").read_text(encoding="utf-8"))


def test_equal_questions_are_all_answered_or_none():
    scores, has_answer = np.array([1.0, 0.0, 1.0]), np.array([True, False, True])
    null = np.array([2.0, 2.0, 3.0])
    found = _squad.best_threshold(scores, ["a", "b", "c"], has_answer, null)
    assert found == (2 / 3, 3.0)  # not 1.0, which a cut between the first two would give
    answered = null <= found.value
    assert np.where(answered, scores, ~has_answer).mean() == found.score


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_scores_and_thresholds_are_those_of_the_official_script(case):
    pairs = zip(case["truth"], case["found"], strict=True)
    scores = np.array([_squad.score(truth, found) for truth, found in pairs])
    assert scores[:, 0].tolist() == case["exact"]
    assert scores[:, 1] == pytest.approx(case["f1"])
    has_answer = np.array([bool(truth) for truth in case["truth"]])
    for column, name in enumerate(("exact", "f1")):
        best, value = case["best"][name]
        found = _squad.best_threshold(
            scores[:, column], case["found"], has_answer, np.array(case["null"])
        )
        assert found.score == pytest.approx(best / 100)
        # The script has 0 for what is best unanswered.
        assert found.value == value or (value == 0 and found.value < min(case["null"]))
