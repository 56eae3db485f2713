"""Learning rates by variable path."""

import re

from ftkeras.policies import _layers
from ftkeras.policies._base import RATES, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Model

# From a layer to the one below: Howard and Ruder, section 3.2.
FACTOR_PER_LAYER = 1 / 2.6


class Discriminative(Policy):
    """Scale the learning rate of each variable by a factor that depends on its path.

    rate(variable) = rate * factor of the first expression that matches its path;   else rate

    Without `rates`, it uses Howard and Ruder's rule: 1 / 2.6 from each layer to the one below.
    Source: Howard and Ruder, 2018, section 3.2, https://arxiv.org/abs/1801.06146.

    Args:
        rates: {regular expression on variable paths: factor}, factors positive; None for 1 / 2.6
            per layer, with the embeddings the lowest, and pooler and head at the full rate.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `check`: if an expression matches no variable that trains.

    >>> Discriminative(rates={"layer_0": 0.1}).multipliers(model=None)
    [('layer_0', 0.1)]
    """

    decides = RATES

    def __init__(self, *, rates: dict[str, float] | None = None):
        if rates is not None and not (isinstance(rates, dict) and rates):
            raise ValueError(
                "`rates` must read {'regular expression on paths': factor, …}. "
                f"Received: {rates!r}."
            )
        for pattern, factor in (rates or {}).items():
            _check_pattern(pattern)
            bounds.positive(**{f"rates[{pattern!r}]": factor})
        self.rates = rates

    def check(self, model: Model) -> None:
        if self.rates is None:
            _layers.check_any_trains(model.encoder)
            return
        paths = [variable.path for variable in model.trainable_variables]
        for pattern in self.rates:
            if not any(re.search(pattern, path) for path in paths):
                raise ValueError(
                    "`rates` must match the path of a variable that trains, such as "
                    f"{paths[0]!r}. Received: {pattern!r}."
                )

    def multipliers(self, model: Model) -> list[tuple[str, float]]:
        if self.rates is None:
            return _layers.falling_rates(model, FACTOR_PER_LAYER)
        return list(self.rates.items())


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"`rates` must have regular expressions as keys ({error}). Received: {pattern!r}."
        ) from None
