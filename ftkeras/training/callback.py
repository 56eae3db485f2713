"""The base class of the callbacks here."""

import collections
from collections.abc import Iterable
from typing import Any

import keras


class Callback(keras.callbacks.Callback):
    """A Keras callback whose model is a compiled `FineTuner`, or behaves like one."""

    model: Any


def named(callbacks: Iterable[Any]) -> dict[str, Any]:
    """Return callbacks by the keys under which checkpoints save their states.

    The key is the name of the class. The second callback of a class has "-2" after it, the third
    "-3", in the order of `callbacks`.
    """
    counts: collections.Counter[str] = collections.Counter()
    by_name: dict[str, Any] = {}
    for callback in callbacks:
        name = type(callback).__name__
        counts[name] += 1
        by_name[name if counts[name] == 1 else f"{name}-{counts[name]}"] = callback
    return by_name
