"""Callbacks for `fit` of any Keras model, one in each file."""

from ftkeras.support import lazy

__all__: list[str] = []

__getattr__, __dir__ = lazy.attach(__name__)
