"""All that the oracles use of KerasTuner's private API, which may change without notice.

tests/search/test_keras_tuner_compat.py fails with the reason if an installed version lacks some.
"""

from importlib import metadata
from typing import Any

import keras_tuner
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle

# The oracle, its private attribute, and why nothing public serves instead.
USED = (
    (
        keras_tuner.Oracle,
        "_save_trial",
        "the ledger records trials, so what writes KerasTuner's own files is replaced",
    ),
    (
        keras_tuner.Oracle,
        "_duplicate",
        "the Gaussian process may propose a setting that was tried, which a run would only repeat",
    ),
    (
        BayesianOptimizationOracle,
        "_random_populate_space",
        "what replaces such a setting is a random one that was not tried",
    ),
    (
        HyperbandOracle,
        "_random_trial",
        "a bracket that has no new setting left to start must continue those that it has",
    ),
    (
        HyperbandOracle,
        "_get_size",
        "the rounds of such a bracket are smaller",
    ),
)

# The space counts as exhausted after this many consecutive samples that were tried before.
MAX_COLLISIONS = 1000


def missing() -> list[str]:
    """Return a message for each attribute of `USED` that the installed KerasTuner lacks."""
    version = metadata.version("keras-tuner")
    return [
        f"{oracle.__name__}.{attribute} is not in KerasTuner {version}. It is used because: "
        f"{reason}."
        for oracle, attribute, reason in USED
        if not hasattr(oracle, attribute)
    ]


def was_tried(oracle: keras_tuner.Oracle, values: dict[str, Any]) -> bool:
    """Return whether a trial of the oracle has these values."""
    return oracle._duplicate(values)


def untried(oracle: BayesianOptimizationOracle) -> dict[str, Any]:
    """Return values like `populate_space`, with a random setting that no trial has."""
    return oracle._random_populate_space()


def limit_samples(oracle: keras_tuner.Oracle, count: int = MAX_COLLISIONS) -> None:
    """Count a space as exhausted after so many consecutive samples that were tried before."""
    oracle._max_collisions = count


def random_trial(oracle: HyperbandOracle, trial_id: str, bracket: dict[str, Any]) -> dict[str, Any]:
    """Return values like `populate_space`, with a new random setting in a bracket's first round."""
    return HyperbandOracle._random_trial(oracle, trial_id, bracket)


def rounds(oracle: HyperbandOracle) -> list[list[dict[str, Any]]]:
    """Return the rounds of all brackets that are not complete.

    An entry of a round has the id of its trial, and the past_id of the trial that this continues.
    """
    return [entries for bracket in oracle._brackets for entries in bracket["rounds"]]


def round_size(oracle: HyperbandOracle, bracket_num: int, round_num: int) -> int:
    """Return how many settings KerasTuner wants in a round of a bracket."""
    return HyperbandOracle._get_size(oracle, bracket_num, round_num)
