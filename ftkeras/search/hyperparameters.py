"""Convert a search space to KerasTuner's hyperparameters."""

import contextlib
import math
from collections.abc import Sequence

import keras_tuner

from ftkeras.search.ranges import Interval, Parameter


def build(parameters: Sequence[Parameter]) -> keras_tuner.HyperParameters:
    """Return KerasTuner's space with these parameters, each under its conditions.

    The values of a choice are its labels, as written in the search.
    """
    space = keras_tuner.HyperParameters()
    for parameter in parameters:
        with contextlib.ExitStack() as scopes:
            for name, label in parameter.conditions:
                scopes.enter_context(space.conditional_scope(name, [label]))
            _add(space, parameter.name, parameter.domain)
    return space


def _add(space: keras_tuner.HyperParameters, name: str, domain: Interval | tuple[str, ...]) -> None:
    if not isinstance(domain, Interval):
        space.Choice(name, list(domain))
        return
    add = space.Int if domain.whole else space.Float
    sampling = "log" if domain.log else "linear"
    add(name, domain.low, _upper_end(domain), step=domain.step, sampling=sampling)


def _upper_end(interval: Interval) -> float:
    """Return an upper end that KerasTuner's rounding can't exclude from the steps.

    It counts (0.3 - 0.1) // 0.1 = 1 step from 0.1 to 0.3, so it gets half a step more.
    """
    if interval.step is None or interval.whole or interval.log:
        return interval.high
    steps = math.floor((interval.high - interval.low) / interval.step + 1e-9)
    return interval.low + (steps + 0.5) * interval.step
