"""Private KerasTuner API: that the installed version has it, and that it does what we expect."""

import ast
import functools
import pathlib

import keras_tuner
import pytest
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle

import ftkeras.search
from ftkeras.search import keras_tuner_compat
from ftkeras.search.keras_tuner_compat import MAX_COLLISIONS
from ftkeras.search.oracles.bayesian import Bayesian
from ftkeras.search.oracles.hyperband import Hyperband
from ftkeras.search.oracles.random import Random

ORACLES = pathlib.Path(ftkeras.search.__file__).parent / "oracles"


@pytest.fixture(params=[Bayesian, functools.partial(Hyperband, max_epochs=9), Random])
def oracle(request):
    space = keras_tuner.HyperParameters()
    space.Choice("size", [1, 2])
    objective = keras_tuner.Objective("accuracy", "max")
    return request.param(objective=objective, hyperparameters=space, seed=0)


def test_installed_keras_tuner_has_everything_that_is_used():
    assert keras_tuner_compat.missing() == []


def test_message_names_what_is_missing(monkeypatch):
    gone = (keras_tuner.Oracle, "_gone", "it did something")
    monkeypatch.setattr(keras_tuner_compat, "USED", (*keras_tuner_compat.USED, gone))
    (message,) = keras_tuner_compat.missing()
    assert message.startswith("Oracle._gone is not in KerasTuner ")
    assert message.endswith("It is used because: it did something.")


def test_limit_of_samples_is_an_attribute_that_keras_tuner_reads(oracle):
    before = oracle._max_collisions  # an instance's, so `missing` can't see it
    assert before == MAX_COLLISIONS
    keras_tuner_compat.limit_samples(oracle, 7)
    assert oracle._max_collisions == 7


def test_setting_is_tried_once_a_trial_has_it(oracle):
    assert not keras_tuner_compat.was_tried(oracle, {"size": 1})
    trial = oracle.create_trial("a worker")
    assert keras_tuner_compat.was_tried(oracle, trial.hyperparameters.values)


def test_rounds_of_hyperband_have_the_trials_that_started():
    space = keras_tuner.HyperParameters()
    space.Choice("size", [1, 2])
    objective = keras_tuner.Objective("accuracy", "max")
    oracle = Hyperband(objective=objective, hyperparameters=space, seed=0, max_epochs=9)
    trial = oracle.create_trial("a worker")
    first, *others = keras_tuner_compat.rounds(oracle)
    assert first == [{"past_id": None, "id": trial.trial_id}]
    assert others == [[], []]


def test_oracles_use_no_private_attribute_directly():
    private = {*dir(BayesianOptimizationOracle), *dir(HyperbandOracle), "_max_collisions"}
    for path in ORACLES.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not {n for n in used & private if n.startswith("_") and n != "__init__"}, path.name
