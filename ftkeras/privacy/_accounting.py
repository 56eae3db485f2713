"""Compute the privacy cost of a sampled Gaussian mechanism, by the package dp-accounting."""

import contextlib
import logging
import math
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

ACCOUNTANTS = ("pld", "rdp")
# The relative error of a search for noise, which never finds too little.
TOLERANCE = 1e-3
# How finely losses of privacy are discretized, rounded up: in a search, and in reports.
COARSE, FINE = 1e-3, 1e-4
# The least share of a quick bound of epsilon that they are discretized by: with little noise, the
# losses are large, and finer steps would need time and memory without limit.
LEAST_SHARE = 1e-6
# Accountants compute no larger epsilon precisely, and none is of any use.
LARGEST = 1000.0
# With less noise, accountants overflow, and rdp finds an epsilon of 0.
LEAST_NOISE = 1e-100
# A share of the noise that one accountant finds, below which another seldom goes.
NEAR = 0.9


def epsilon(
    noise: float,
    rate: float,
    steps: int,
    delta: float,
    accountant: str,
    interval: float = FINE,
) -> float:
    """Return the epsilon of so many steps of the sampled Gaussian mechanism; inf without noise.

    Neighbouring data sets differ in one example, which is added or removed. What rdp finds is an
    upper bound, and pld returns it if its discretized losses give more, or overflow.

    Source: privacy loss distributions ("pld"), Doroshenko et al., 2022,
    https://arxiv.org/abs/2207.04380; Rényi differential privacy ("rdp"), Mironov et al., 2019,
    https://arxiv.org/abs/1908.10530.

    Args:
        noise: the standard deviation, as a multiple of the largest norm of an example's gradient.
        rate: the probability that a step samples an example, in (0, 1].
        steps: at least 0.
        delta: in (0, 1).
        accountant: pld, which is tighter, or rdp.
        interval: between the losses that pld computes with, if epsilon is not large; positive.

    Raises:
        ValueError: the package is not installed.
    """
    if steps == 0:
        return 0.0
    if noise < LEAST_NOISE:
        return math.inf
    event = _event(noise, rate, steps)
    with _quiet():
        bound = float(_accountant("rdp").compose(event).get_epsilon(delta))
        if accountant == "rdp":
            return bound
        made = _accountant(accountant, max(interval, LEAST_SHARE * bound))
        try:
            return min(bound, float(made.compose(event).get_epsilon(delta)))
        except OverflowError:  # of so little noise that no epsilon is of any use
            return bound


def noise_for(target: float, rate: float, steps: int, delta: float, accountant: str) -> float:
    """Return the least noise with which so many steps have at most this epsilon.

    It may be less than a percent too large, and is never too small. The arguments are those of
    `epsilon`.

    >>> noise = noise_for(8.0, rate=0.01, steps=1000, delta=1e-5, accountant="rdp")
    >>> 7.99 < epsilon(noise, rate=0.01, steps=1000, delta=1e-5, accountant="rdp") <= 8
    True
    """
    accounting = _package()
    with _quiet():
        # Quick, and an upper bound of what the tighter accountant finds.
        bound = accounting.calibrate_dp_mechanism(
            lambda: _accountant("rdp"),
            lambda noise: _event(noise, rate, steps),
            target_epsilon=target,
            target_delta=delta,
            tol=TOLERANCE / 10,
        )
    if accountant == "rdp":
        return bound
    interval = min(COARSE, max(FINE, COARSE * target))
    known = (rate, steps, delta, accountant, interval)
    return _least(lambda noise: epsilon(noise, *known) - target, bound)


def _least(excess: Callable[[float], float], bound: float) -> float:
    """Return the least noise with no excess, given an upper bound that is near it."""
    from scipy import optimize

    low = bound
    while excess(low := low * NEAR) <= 0:
        bound = low
    root: Any = optimize.brentq(excess, low, bound, xtol=TOLERANCE / 4 * bound)
    noise = float(root)
    while excess(noise) > 0:
        noise *= 1 + TOLERANCE / 4
    return noise


def package() -> str:
    """Return the package with its version."""
    return f"dp-accounting {metadata.version('dp-accounting')}"


def _event(noise: float, rate: float, steps: int) -> Any:
    accounting = _package()
    step = accounting.PoissonSampledDpEvent(rate, accounting.GaussianDpEvent(noise))
    return accounting.SelfComposedDpEvent(step, steps)


def _accountant(name: str, interval: float = FINE) -> Any:
    _package()
    from dp_accounting import pld, rdp

    return (
        pld.PLDAccountant(value_discretization_interval=interval)
        if name == "pld"
        else rdp.RdpAccountant()
    )


def _package() -> Any:
    try:
        import dp_accounting
    except ImportError:
        raise ValueError("needs the package dp-accounting: pip install ftkeras[private]") from None
    return dp_accounting


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Omit what dp-accounting logs of orders that it leaves out, which only loosens a bound."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
