"""The contract of every problem, on a few examples of its own."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import problems
from ftkeras.problems.classification import Classification
from ftkeras.problems.multi_label import MultiLabel
from ftkeras.problems.multiple_choice import MultipleChoice
from ftkeras.problems.regression import Regression

RNG = np.random.default_rng(0)
OUTPUTS = RNG.normal(size=(6, 3)).astype(np.float32)
# A problem with three outputs, and targets, by the name of its file.
NUMBERS = 5.0 + 3.0 * RNG.normal(size=(6, 3))
SAMPLES = {
    "classification": (Classification(labels=("a", "b", "c")), np.array([0, 1, 2, 0, 1, 2])),
    "multi_label": (
        MultiLabel(labels=("a", "b", "c"), threshold=0.5),
        np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1], [1, 0, 1], [0, 1, 0]]),
    ),
    "multiple_choice": (MultipleChoice(labels=("a", "b", "c")), np.array([0, 1, 2, 0, 1, 2])),
    "regression": (Regression(labels=("a", "b", "c")), NUMBERS),
}


def _loss(targets, outputs):
    return np.float32(0.5)


@pytest.fixture(params=sorted(SAMPLES))
def sample(request):
    problem, targets = SAMPLES[request.param]
    problem.fit(targets)
    return problem, targets


def test_every_problem_has_a_sample():
    # Those that answer words or questions are tested in files of their own.
    reads = {name: problems.find(name).reads for name in problems.names()}
    assert sorted(SAMPLES) == [n for n, kind in reads.items() if kind in ("texts", "options")]


def test_metrics_of_one_name_are_better_in_one_direction():
    measures = [m for name in problems.names() for m in problems.find(name).measures]
    assert all(problems.is_lower_better(m.name) == m.lower_is_better for m in measures)


@pytest.mark.parametrize("objective", ["loss", "f1"])
def test_lower_loss_and_higher_f1_rank_first(objective):
    low, high = (problems.rank_key(objective, score, loss=1.0, epochs=1) for score in (0.2, 0.8))
    assert (low < high) == (objective == "loss")


def test_without_a_score_the_loss_ranks_after_all_that_have_one():
    results = [(0.1, 2.0), (None, 0.5), (np.nan, 0.9), (0.9, np.nan), (None, np.inf)]
    keys = [
        problems.rank_key("f1", score, loss, epochs=n) for n, (score, loss) in enumerate(results)
    ]
    assert sorted(keys) == keys


def test_batch_has_a_mask_where_there_is_no_example(sample):
    problem, targets = sample
    batch = problem.collate(targets, np.array([[2, -1], [0, 5]]))
    assert batch["example_mask"].tolist() == [[True, False], [True, True]]
    assert batch["targets"].shape == (2, 2, *targets.shape[1:])
    assert not batch["targets"][0, 1].any()
    alone = problem.collate(targets, np.array([5]))
    assert np.array_equal(batch["targets"][1, 1], alone["targets"][0])


def test_targets_are_stored_as_the_spec_says(sample):
    problem, targets = sample
    assert targets.shape[1:] == problem.target_shape
    assert targets.dtype == problem.target_dtype


def test_metrics_are_plain_json_and_name_the_one_that_selects_the_epoch(sample):
    problem, targets = sample
    found = problem.metrics(targets, OUTPUTS, _loss)
    measures = {measure.name: measure for measure in problem.measures}
    assert {"loss", problem.metric, *problem.columns, *problem.reported} <= measures.keys()
    assert measures.keys() <= found.keys()
    for name, measure in measures.items():
        assert measure.limits[0] <= found[name] <= measure.limits[1]
    details = problem.details(targets, OUTPUTS)
    recorded = {**found, **details, **problem.summarize(targets), **problem.state()}
    assert json.loads(json.dumps(recorded)) == recorded


def test_predictions_hold_what_an_export_returns(sample):
    problem, targets = sample
    rows = problem.decode(targets, OUTPUTS)
    assert json.loads(json.dumps(rows)) == rows
    served = problem.served(tf.constant(OUTPUTS))[problem.output].numpy()
    np.testing.assert_allclose([row[problem.output] for row in rows], served, rtol=1e-5, atol=1e-6)
    found = problem.compare(rows, served)
    assert found.samples == len(targets)
    assert found.largest_difference < 1e-5
    assert problem.compare(rows, served[::-1]).largest_difference > 0.1


def test_state_restores_the_problem(sample):
    problem, targets = sample
    other = type(problem)(labels=problem.names)
    other.restore_state(json.loads(json.dumps(problem.state())))
    assert other.decode(targets, OUTPUTS) == problem.decode(targets, OUTPUTS)
    read = problems.recorded(problem.names, json.loads(json.dumps(problem.state())))
    assert read.decode(targets, OUTPUTS) == problem.decode(targets, OUTPUTS)


def test_lines_of_predictions_are_read_again(sample):
    problem, targets = sample
    rows = problem.decode(targets, OUTPUTS)
    found = problem.predictions(rows)
    assert found.tested.name in found.metrics
    assert np.isfinite(found.compared).all()
    all_once = found.table().metrics(np.ones((1, len(rows)), np.float32))[0]
    tested = all_once[found.metrics.index(found.tested.name)]
    assert tested == pytest.approx(found.scores.mean(), rel=1e-5)
    measured = problem.metrics(targets, OUTPUTS, _loss)
    for name, value in zip(found.metrics, all_once, strict=True):
        if name in measured:
            assert value == pytest.approx(measured[name], rel=1e-4), name
    assert all(problem.truth(row).items() <= row.items() for row in rows)


def _served(problem):
    if problem.reads == "options":
        options = tf.constant([["x y", "z", "ü"]] * len(OUTPUTS))
        return problem.served_options(tf.constant(OUTPUTS), options)
    return problem.served(tf.constant(OUTPUTS))


def test_answers_are_shown_as_text_json_and_cells(sample):
    problem, _ = sample
    served = {name: value.numpy() for name, value in _served(problem).items()}
    for row in zip(*(value.tolist() for value in served.values()), strict=True):
        answer = problem.answer(dict(zip(served, row, strict=True)))
        assert json.loads(json.dumps(answer)) == answer
        assert "\n" not in problem.line(answer)
        columns, cells = problem.answer_columns(), problem.answer_cells(answer)
        assert [type(cell) for cell in cells] == list(columns.values())


def test_explained_number_grows_with_the_chosen_output(sample):
    problem, _ = sample
    if not problem.explains:
        pytest.skip("its answers are not attributed to tokens")
    chosen = tf.zeros([len(OUTPUTS)], tf.int64)
    before = problem.evidence(tf.constant(OUTPUTS), chosen).numpy()
    after = problem.evidence(tf.constant(OUTPUTS + np.float32([1.0, 0, 0])), chosen).numpy()
    assert (after > before).all()


def test_divergence_is_zero_of_equal_outputs_only(sample):
    problem, _ = sample
    found = np.array(problem.divergence(OUTPUTS, OUTPUTS))
    assert found.tolist() == [0.0] * len(OUTPUTS)
    others = OUTPUTS + np.float32([0.0, 1.0, 2.0])
    assert (np.array(problem.divergence(OUTPUTS, others)) > 0).all()


def test_nothing_can_be_learned_of_equal_answers(sample):
    problem, targets = sample
    assert problem.shortcoming(targets) is None
    if problem.reads != "options":  # which are told apart by their texts, not by their number
        assert problem.shortcoming(targets[[1, 1]])
