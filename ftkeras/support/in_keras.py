"""Keras models that know nothing of `ftkeras.train`, as policies and regularizers see them."""

import weakref
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import keras

from ftkeras.support import keras_compat
from ftkeras.support.protocols import Encoder

# By model or encoder. Keras would track an attribute, which would change the model's variables.
_APPLIED: MutableMapping[Any, list[Any]] = weakref.WeakKeyDictionary()
# The models that compute with an encoder, by encoder.
_SHARING: MutableMapping[Any, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class InKeras:
    """A Keras model as policies and regularizers see it.

    Attributes:
        encoder: its encoder.
        scaffold: owns the layers that a policy adds for the time of training.
    """

    encoder: Encoder
    scaffold: Any


def in_keras(model: keras.Model) -> Any:
    """Return the parts of a Keras model with one encoder that policies and regularizers need.

    Raises:
        ValueError: it has none, or several.
    """
    encoders = encoders_of(model)
    if len(encoders) != 1:
        raise ValueError(
            f"`model` must have one encoder of ftkeras.encoders. Received: {len(encoders)} in "
            f"{model.name!r}."
        )
    return InKeras(encoders[0], scaffold=model)


def encoders_of(model: keras.layers.Layer) -> list[Encoder]:
    """Return the encoders of ftkeras.encoders in a model, nested ones included."""
    return [layer for layer in keras_compat.all_layers(model) if isinstance(layer, Encoder)]


def remember(layer: keras.layers.Layer, part: Any) -> None:
    """Remember that a part was applied to a model or an encoder, while that exists."""
    _APPLIED.setdefault(layer, []).append(part)


def applied_to(model: keras.layers.Layer) -> list[Any]:
    """Return the parts that were applied to a model or to its encoders, as `remember` was told."""
    return [part for layer in (model, *encoders_of(model)) for part in _APPLIED.get(layer, ())]


def share(model: keras.Model, encoder: Any) -> keras.Model:
    """Have `trace_again` reach a model that computes with an encoder; return the model."""
    _SHARING.setdefault(encoder, weakref.WeakSet()).add(model)
    return model


def trace_again(model: keras.Model) -> None:
    """Discard what a model, and those that share its encoders, have traced of their functions."""
    others = [other for encoder in encoders_of(model) for other in _SHARING.get(encoder, ())]
    for one in (model, *others):
        one.train_function = one.test_function = one.predict_function = None
