"""Metrics that are computed batch by batch, with the loss."""

import numpy as np
import pytest

from ftkeras import problems

BATCHES = 200
random = np.random.default_rng(0)
DATA = {
    "masked_lm": (random.integers(9, size=(BATCHES, 7)), random.normal(size=(BATCHES, 7, 9))),
    "regression": (random.normal(size=(BATCHES, 7, 1)), random.normal(size=(BATCHES, 7, 1))),
}


def _values(problem, order):
    metrics = problem.epoch_metrics()
    for metric in metrics:
        for number in order:
            targets, outputs = (array[number] for array in DATA[problem.state()["problem"]])
            metric.update_state(targets, outputs.astype("float32"), sample_weight=np.ones(7))
    return [float(metric.result()) for metric in metrics]


@pytest.mark.parametrize("name", DATA)
def test_means_do_not_depend_on_the_order_so_replicas_and_resumed_runs_have_the_same(name):
    problem = problems.find(name)(labels=("answer",))
    if name == "regression":
        problem.restore_state({"scale": "standard", "mean": [0.0], "sd": [1.3]})
    assert _values(problem, range(BATCHES)) == _values(problem, range(BATCHES)[::-1])
