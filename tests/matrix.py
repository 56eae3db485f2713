"""Choose the cases of a large matrix that `make test` runs; `make test-all` runs all of them."""

from collections.abc import Collection, Iterable

import pytest


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
