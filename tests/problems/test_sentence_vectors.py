"""Similarity and positive pairs: metrics, answers, and what an export returns."""

import json

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ftkeras import problems
from ftkeras.errors import UserError
from ftkeras.problems.positive_pairs import PositivePairs, ranks
from ftkeras.problems.similarity import Similarity
from ftkeras.statistics.rank_predictions import CUTS

RNG = np.random.default_rng(0)


def _vectors(count: int) -> np.ndarray:
    """Return pairs of vectors of length 1 that are near each other."""
    first = RNG.normal(size=(count, 8))
    pair = np.stack([first, first + RNG.normal(size=(count, 8))], axis=1)
    found = pair / np.linalg.norm(pair, axis=-1, keepdims=True)
    return found.reshape(count, 16).astype(np.float32)


OUTPUTS = _vectors(40)
COSINES = (OUTPUTS[:, :8] * OUTPUTS[:, 8:]).sum(axis=1)
SCORES = 1 + 4 * RNG.uniform(size=40).round(1)
PROBLEMS = {
    "similarity": (Similarity(labels=["score"]), SCORES),
    "positive_pairs": (PositivePairs(labels=["cosine"]), np.arange(40)),
}


def _loss(targets, outputs):
    return np.float32(len(targets))


@pytest.fixture(params=PROBLEMS)
def sample(request):
    problem, targets = PROBLEMS[request.param]
    problem.fit(targets)
    return problem, targets


def test_correlations_are_scipy_s_and_the_range_of_scores_changes_neither():
    problem, _ = PROBLEMS["similarity"]
    problem.fit(SCORES)
    found = problem.metrics(SCORES, OUTPUTS, _loss)
    assert found["spearman"] == pytest.approx(stats.spearmanr(SCORES, COSINES).statistic)
    assert found["pearson"] == pytest.approx(stats.pearsonr(SCORES, COSINES).statistic, abs=1e-6)
    scaled = (SCORES - SCORES.min()) / (SCORES.max() - SCORES.min())
    assert found["mae"] == pytest.approx(np.abs(scaled - COSINES).mean(), abs=1e-6)


def test_given_range_is_used_instead_of_the_lowest_and_highest_score():
    problem = Similarity(labels=["score"], low=0, high=5)
    problem.fit(SCORES)
    batch = problem.collate(SCORES, np.array([3, -1]))
    np.testing.assert_allclose(batch["targets"], [SCORES[3] / 5, 0], rtol=1e-6)
    assert batch["example_mask"].tolist() == [True, False]
    assert problem.state() == {"problem": "similarity", "low": 0, "high": 5}


def test_low_above_all_scores_is_refused():
    with pytest.raises(UserError, match="`low` must be below `high`, the scores of training are"):
        Similarity(labels=["score"], low=6).fit(SCORES)


def test_ranks_and_recalls_are_those_of_the_whole_matrix():
    matrix = OUTPUTS[:, :8] @ OUTPUTS[:, 8:].T
    expected = 1 + (matrix > matrix.diagonal()[:, None] + 1e-6).sum(axis=1)
    assert ranks(OUTPUTS, np.arange(40)).tolist() == expected.tolist()
    problem, targets = PROBLEMS["positive_pairs"]
    found = problem.metrics(targets, OUTPUTS, _loss)
    assert found["mrr"] == pytest.approx((1 / expected).mean())
    for cut in CUTS:
        assert found[f"recall_at_{cut}"] == pytest.approx((expected <= cut).mean())
    assert len(set(expected)) > 3


def test_second_text_of_several_pairs_has_the_best_rank_of_all():
    often, texts = np.concatenate([OUTPUTS, *[OUTPUTS[:1]] * 5]), np.append(np.arange(40), [0] * 5)
    assert ranks(often, texts)[[0, -1]].tolist() == [ranks(OUTPUTS, np.arange(40))[0]] * 2


def test_model_that_gives_all_texts_the_same_vector_ranks_them_in_the_middle():
    problem, targets = PROBLEMS["positive_pairs"]
    same = np.tile(OUTPUTS[:1, :8], (40, 2))
    assert {row["rank"] for row in problem.decode(targets, same)} == {20}
    assert problem.metrics(targets, same, _loss)["recall_at_10"] == 0


def test_loss_of_a_split_is_the_mean_of_blocks(monkeypatch):
    monkeypatch.setattr("ftkeras.problems.positive_pairs.BLOCK", 15)
    problem, targets = PROBLEMS["positive_pairs"]
    sizes = [14, 13, 13]
    expected = np.average(sizes, weights=sizes)
    assert problem.metrics(targets, OUTPUTS, _loss)["loss"] == pytest.approx(expected)


def test_metrics_are_plain_json_and_within_their_limits(sample):
    problem, targets = sample
    found = problem.metrics(targets, OUTPUTS, _loss)
    measures = {measure.name: measure for measure in problem.measures}
    assert {"loss", problem.metric, *problem.columns, *problem.reported} <= measures.keys()
    for name, measure in measures.items():
        assert measure.limits[0] <= found[name] <= measure.limits[1]
    recorded = {**found, **problem.summarize(targets), **problem.state()}
    assert json.loads(json.dumps(recorded)) == recorded


def test_predictions_hold_what_an_export_returns(sample):
    problem, targets = sample
    rows = problem.decode(targets, OUTPUTS)
    assert json.loads(json.dumps(rows)) == rows
    served = problem.served(tf.constant(OUTPUTS))[problem.output].numpy()
    np.testing.assert_allclose(served, [row["cosine"] for row in rows], atol=1e-6)
    assert problem.compare(rows, served).largest_difference < 1e-6
    assert problem.compare(rows, served[::-1]).largest_difference > 0.1
    answer = problem.answer({"cosine": float(served[0])})
    cells, columns = problem.answer_cells(answer), problem.answer_columns()
    assert [type(cell) for cell in cells] == list(columns.values())
    assert problem.line(answer) == f"{served[0]:.4f}"


def test_rounding_is_no_large_change_of_cosines_that_hardly_vary(sample):
    problem, _ = sample
    rows = [{"cosine": 0.98 + 1e-7 * n} for n in range(4)]
    found = problem.compare(rows, np.array([row["cosine"] for row in rows]) + 2e-7)
    assert found.logit_change < 1e-4
    worse = problem.compare(rows, np.array([0.98, 0.95, 0.98, 0.98]))
    assert worse.logit_change > 1


def test_state_restores_the_problem(sample):
    problem, targets = sample
    read = problems.recorded(problem.names, json.loads(json.dumps(problem.state())))
    assert type(read) is type(problem)
    assert read.decode(targets, OUTPUTS) == problem.decode(targets, OUTPUTS)


def test_lines_of_predictions_are_read_again(sample):
    problem, targets = sample
    rows = problem.decode(targets, OUTPUTS)
    found = problem.predictions(rows)
    all_once = found.table().metrics(np.ones((1, len(rows)), np.float32))[0]
    tested = all_once[found.metrics.index(found.tested.name)]
    assert tested == pytest.approx(found.scores.mean(), rel=1e-5)
    measured = problem.metrics(targets, OUTPUTS, _loss)
    for name, value in zip(found.metrics, all_once, strict=True):
        if name in measured:
            assert value == pytest.approx(measured[name], rel=1e-4), name
    assert all(problem.truth(row).items() <= row.items() for row in rows)


def test_nothing_can_be_learned_of_one_pair_or_one_score(sample):
    problem, targets = sample
    assert problem.shortcoming(targets) is None
    assert problem.shortcoming(targets[:1])


def test_card_shows_each_split(sample):
    problem, targets = sample
    found = {**problem.metrics(targets, OUTPUTS, _loss), "examples": len(targets)}
    assert "| test | 40 |" in problem.card_metrics({"test": found}, ["test"])
