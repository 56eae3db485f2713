"""A space as KerasTuner has it."""

import contextlib
from collections.abc import Sequence

import keras_tuner

from ftkeras.search.ranges import Interval, Parameter


def of(parameters: Sequence[Parameter]) -> keras_tuner.HyperParameters:
    """Each parameter under its conditions; choices are chosen by how they are written."""
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
    kind = space.Int if domain.whole else space.Float
    sampling = "log" if domain.log else "linear"
    kind(name, domain.low, domain.high, step=domain.step, sampling=sampling)
