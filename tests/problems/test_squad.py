"""SQuAD's rules, against the official script."""

import json
import pathlib

import numpy as np
import pytest

from ftkeras.problems import _squad
from ftkeras.problems._answer_report import BestAnswers

CASES = json.loads(pathlib.Path(__file__).with_name("squad.json").read_text(encoding="utf-8"))


def test_equal_questions_are_all_answered_or_none():
    scores, empty = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    null = np.array([2.0, 2.0, 3.0])
    found = _squad.best_threshold(scores, empty, null)
    assert found == (2 / 3, 3.0)  # not 1.0, which a cut between the first two would give
    answered = null <= found.value
    assert np.where(answered, scores, empty).mean() == found.score


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_no_threshold_gives_more_than_the_best(case):
    null = np.array(case["null"])
    best = BestAnswers(case["truth"], case["found"], null)
    tried = [best.measures(null > limit) for limit in (*null, null.min() - 1)]
    for name, found in best.thresholds().items():
        if not name.endswith("_threshold"):
            assert found == pytest.approx(max(each[name[5:]] for each in tried))
    assert best.measures(null > best.threshold("f1").value)["f1"] == pytest.approx(
        best.thresholds()["best_f1"]
    )


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_scores_and_thresholds_are_those_of_the_official_script(case):
    pairs = zip(case["truth"], case["found"], strict=True)
    scores = np.array([_squad.score(truth, found) for truth, found in pairs])
    assert scores[:, 0].tolist() == case["exact"]
    assert scores[:, 1] == pytest.approx(case["f1"])
    # The script's own scores of answers to questions without one, and of no answer.
    has_answer = np.array([bool(truth) for truth in case["truth"]])
    blank = np.array([not found for found in case["found"]])
    scores = np.where(has_answer[:, None], scores, blank[:, None])
    for column, name in enumerate(("exact", "f1")):
        best, value = case["best"][name]
        found = _squad.best_threshold(scores[:, column], ~has_answer, np.array(case["null"]))
        assert found.score == pytest.approx(best / 100)
        # The script has 0 for what is best unanswered.
        assert found.value == value or (value == 0 and found.value < min(case["null"]))
