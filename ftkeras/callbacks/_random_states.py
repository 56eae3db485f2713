"""The random states of Python and NumPy, on which the order of data may depend."""

import random
from typing import Any

import numpy as np


def now() -> dict[str, Any]:
    """Return both states."""
    return {"python": random.getstate(), "numpy": np.random.get_state()}


def restore(states: dict[str, Any]) -> None:
    """Set those of `states`, which `now` has returned."""
    if "python" in states:
        random.setstate(states["python"])
    if "numpy" in states:
        np.random.set_state(states["numpy"])


def unchanged(before: dict[str, Any]) -> set[str]:
    """Return the names of the states that are the same as before."""
    return {name for name, state in now().items() if repr(state) == repr(before[name])}
