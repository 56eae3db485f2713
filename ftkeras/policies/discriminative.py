import re

from ftkeras.policies import _layers
from ftkeras.policies._base import RATES, Policy
from ftkeras.support import bounds

# From a layer to the one below it: Howard and Ruder, section 3.2.
FALL = 1 / 2.6


class Discriminative(Policy):
    """Variables learn at rates of their own, chosen by path.

    rate(variable) = rate * factor of the first expression that matches its path;   else rate

    Without `rates` it is Howard and Ruder's own: from each layer to the one below, 1 / 2.6.
    Source: Howard and Ruder, 2018, section 3.2, https://arxiv.org/abs/1801.06146.

    Args:
        rates: {regular expression on variable paths: factor}, factors positive; None for 1 / 2.6
            a layer, embeddings the lowest, pooler and head at the full rate.

    Raises:
        ValueError: naming the argument, its bound and the value received; in `check`, for an
            expression that matches no variable that trains.
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

    def check(self, model) -> None:
        if self.rates is None:
            _layers.must_learn(model.encoder)
            return
        paths = [variable.path for variable in model.trainable_variables]
        for pattern in self.rates:
            if not any(re.search(pattern, path) for path in paths):
                raise ValueError(
                    "`rates` must match the path of a variable that trains, such as "
                    f"{paths[0]!r}. Received: {pattern!r}."
                )

    def multipliers(self, model) -> list[tuple[str, float]]:
        if self.rates is None:
            return _layers.falling_rates(model.encoder, FALL)
        return list(self.rates.items())


def _check_pattern(pattern):
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"`rates` must have regular expressions as keys ({error}). Received: {pattern!r}."
        ) from None
