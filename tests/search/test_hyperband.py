"""Hyperband: which trials continue."""

import itertools
import random
from collections.abc import Callable, Mapping

import keras_tuner
import pytest

from ftkeras.search.oracles.hyperband import Hyperband
from ftkeras.search.trials import CONTINUES
from tests.search import searches
from tests.search.searches import Child


def _continued(ends: Callable[[int], Mapping[str, float] | None], direction="max") -> list[int]:
    """Search to the end; return the numbers of the trials that continued, in this order.

    Args:
        ends: the metrics of a trial, given its number; None if it fails.
        direction: of the score.
    """
    space = keras_tuner.HyperParameters()
    space.Choice("rate", list(range(100)))
    objective = keras_tuner.Objective("score", direction)
    oracle = Hyperband(objective=objective, hyperparameters=space, seed=1, max_epochs=9)
    continued = []
    for number in itertools.count():
        trial = oracle.create_trial("a worker")
        if trial.status != "RUNNING":
            assert trial.status == "STOPPED"
            return continued
        assert number < 50, "the search must end"
        if past := trial.hyperparameters.values.get(CONTINUES):
            continued.append(int(past))
        metrics = ends(number)
        trial.status = "FAILED" if metrics is None else "COMPLETED"
        if metrics is not None:
            oracle.update_trial(trial.trial_id, metrics)
        oracle.end_trial(trial)
    return continued


@pytest.mark.parametrize("direction", ["min", "max"])
def test_ties_go_to_the_lower_loss_then_to_fewer_epochs(direction):
    def ends(number: int) -> dict[str, float]:
        loss = 0.1 if number in (3, 5, 7, 8) else 0.2
        return {"score": 0.5, "loss": loss, "epochs": 2 if number == 5 else 1}

    # Of nine, three continue, and of these one.
    assert _continued(ends, direction)[:4] == [3, 7, 8, 9]


def test_score_counts_more_than_the_loss():
    found = _continued(lambda number: {"score": number, "loss": float(number), "epochs": 1})
    assert found[:4] == [8, 7, 6, 11]


def test_failed_trials_do_not_continue():
    good = {0: 0.2, 4: 0.3, 9: 0.1, 10: 0.4, 11: 0.5}
    found = _continued(lambda number: {"score": good[number]} if number in good else None)
    # One of nine places in the second round stays empty, and the best of it continues.
    assert found[:3] == [4, 0, 10]


def test_search_ends_if_all_trials_fail():
    assert _continued(lambda number: None) == []


@pytest.mark.parametrize("seed", range(5))
def test_no_failure_continues_and_none_keeps_the_search_from_its_end(seed):
    rng = random.Random(seed)
    failed = {number for number in range(50) if rng.random() < 0.6}
    found = _continued(lambda number: None if number in failed else {"score": rng.random()})
    assert not failed & set(found)
    assert len(found) == len(set(found))


def test_last_epoch_is_the_most_that_hyperband_allots(tmp_path, monkeypatch):
    given = searches.config(oracle="hyperband", epochs=9, last_epoch=3)
    child = Child()
    book = searches.search(given, tmp_path, child, monkeypatch)
    trained = {(config.learning_rate, config.policy, config.last_epoch) for _, config in child.runs}
    assert len(trained) == len(book.results)
    assert {config.last_epoch for _, config in child.runs} == {1, 3}
