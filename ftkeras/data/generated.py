"""Datasets whose elements a Python generator makes."""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf


def from_generator(generate: Callable[[], Iterator[Any]], signature: Any) -> tf.data.Dataset:
    """Return a dataset as `tf.data.Dataset.from_generator` does, but free the generator with it.

    TensorFlow keeps the generator of each dataset in its default graph until the process ends, and
    with it all that the generator refers to, such as a run's examples and the batches of an epoch.

    Args:
        generate: called once per pass over the dataset.
        signature: the `tf.TensorSpec`s of an element.
    """
    releasable = _Releasable(generate)
    dataset = tf.data.Dataset.from_generator(releasable, output_signature=signature)
    # Derived datasets and iterators refer to the dataset, so it lives while it may be read.
    weakref.finalize(dataset, releasable.release).atexit = False
    return dataset


class _Releasable:
    """A generator function that can be released while TensorFlow refers to this object."""

    def __init__(self, generate: Callable[[], Iterator[Any]]):
        self._generate: Callable[[], Iterator[Any]] | None = generate

    def __call__(self) -> Iterator[Any]:
        if self._generate is None:
            raise RuntimeError("the dataset of this generator has been deleted")
        return self._generate()

    def release(self) -> None:
        self._generate = None
