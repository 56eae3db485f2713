"""Choose the cases of a large matrix that `make test` runs; `make test-all` runs all of them."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest
from hypothesis import settings

# Hypothesis' profiles: for `make test` and `make test-all`. tests/conftest.py loads one of them.
FEW, MANY = "few", "many"
settings.register_profile(FEW, deadline=None, max_examples=25)
# How long an example takes depends on what else the machine does.
settings.register_profile(MANY, deadline=None)


def examples(count: int) -> settings:
    """Return settings for costly examples: this many in `make test-all`, by default a quarter."""
    few = settings.get_profile(FEW).max_examples
    return settings(max_examples=count if settings.default.max_examples > few else 1 + count // 4)


def matrix(cases: Iterable, *, default: Collection) -> list:
    """Mark all cases except those in `default` with `matrix`.

    Raises:
        ValueError: for a default that is no case, which would otherwise never run.
    """
    cases = list(cases)
    if unknown := [case for case in default if case not in cases]:
        raise ValueError(f"no such cases: {unknown}")
    return [
        case if case in default else pytest.param(case, marks=pytest.mark.matrix) for case in cases
    ]


def also(*cases: Any) -> list:
    """Mark cases with `matrix`, such as arrays, which `matrix` could not compare with defaults."""
    return [pytest.param(case, marks=pytest.mark.matrix) for case in cases]
