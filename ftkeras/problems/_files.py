"""Find problems by the names of their files, and what their metrics have in common."""

import functools
import importlib
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.problems._base import Problem

DEFAULT = "classification"
# The key of a recorded state that names the problem, unless it is the default.
PROBLEM = "problem"


def names() -> list[str]:
    """Return the names of all problems, sorted."""
    folder = pathlib.Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if path.stem[0] != "_")


def find(name: str) -> type[Problem]:
    """Return the class of a problem.

    >>> find("classification").metric
    'accuracy'
    """
    module = importlib.import_module(f"ftkeras.problems.{name}")
    wanted = name.replace("_", "")
    return next(cls for key, cls in vars(module).items() if key.lower() == wanted)


def recorded(labels: Sequence[str], state: Mapping[str, Any]) -> Problem:
    """Return the problem that a run or an export has recorded.

    Args:
        labels: the names of the outputs.
        state: as the problem's `state` returned it; empty for classification.
    """
    cls: Any = find(state.get(PROBLEM, DEFAULT))
    problem = cls(labels=labels)
    problem.restore_state(dict(state))
    return problem


@functools.cache
def _directions() -> dict[str, bool]:
    """Return whether lower is better for each metric of any problem; one name has one meaning."""
    return {m.name: m.lower_is_better for name in names() for m in find(name).measures}


def is_lower_better(metric: str) -> bool:
    """Return whether a lower value of a metric is better.

    >>> is_lower_better("loss"), is_lower_better("f1")
    (True, False)
    """
    return _directions().get(metric, False)


def rank_key(
    objective: str, score: float | None, loss: float, epochs: float
) -> tuple[bool, float, float, float]:
    """Return a sort key that puts the best of several epochs or trials first.

    The best score wins; ties are broken by the lower loss, then by fewer epochs. Those without a
    finite score come after the others, by their loss, and one whose loss is not finite comes last.

    >>> sorted([("a", 0.9, 3e13, 2), ("b", 0.9, 0.4, 3)], key=lambda r: rank_key("f1", *r[1:]))[0]
    ('b', 0.9, 0.4, 3)
    """
    if score is None or not np.isfinite([score, loss]).all():
        return True, 0.0, loss if np.isfinite(loss) else np.inf, epochs
    return False, score if is_lower_better(objective) else -score, loss, epochs
