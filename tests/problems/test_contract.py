"""What every problem guarantees, on a few examples of its own."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import problems
from ftkeras.problems.classification import Classification

RNG = np.random.default_rng(0)
OUTPUTS = RNG.normal(size=(6, 3)).astype(np.float32)
# A problem with three outputs, and targets, by the name of its file.
SAMPLES = {"classification": (Classification(labels=("a", "b", "c")), np.array([0, 1, 2, 0, 1, 2]))}


def _loss(targets, outputs):
    return np.float32(0.5)


@pytest.fixture(params=sorted(SAMPLES))
def sample(request):
    problem, targets = SAMPLES[request.param]
    problem.fit(targets)
    return problem, targets


def test_every_problem_has_a_sample():
    folder = pathlib.Path(problems.__file__).parent
    assert set(SAMPLES) == {path.stem for path in folder.glob("*.py") if path.stem[0] != "_"}


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
    assert targets.shape[1:] == tuple(problem.target_spec.shape)
    assert targets.dtype == problem.target_spec.dtype.as_numpy_dtype


def test_metrics_are_plain_json_and_name_the_one_that_selects_the_epoch(sample):
    problem, targets = sample
    found = problem.metrics(targets, OUTPUTS, _loss)
    assert {"loss", problem.metric} <= set(found)
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


def test_divergence_is_zero_of_equal_outputs_only(sample):
    problem, _ = sample
    found = np.array(problem.divergence(OUTPUTS, OUTPUTS))
    assert found.tolist() == [0.0] * len(OUTPUTS)
    others = OUTPUTS + np.float32([0.0, 1.0, 2.0])
    assert (np.array(problem.divergence(OUTPUTS, others)) > 0).all()


def test_nothing_can_be_learned_of_equal_answers(sample):
    problem, targets = sample
    assert problem.shortcoming(targets) is None
    assert problem.shortcoming(targets[[1, 1]])
