"""Restore what a run sets for the whole process."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import config

from ftkeras.support import keras_compat


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Restore seeds, op determinism and visible devices when the context ends.

    A run sets them so that it can be repeated. A program that trains a model and goes on should not
    notice: its random numbers continue where they were, and operations that have no deterministic
    implementation work again. The seeds of TensorFlow and Keras are set again, so their sequences
    start from the beginning; they have no state that could be restored.
    """
    python, numpy, of_keras = random.getstate(), np.random.get_state(), keras_compat.seed_state()
    seed, deterministic = context.global_seed(), config.is_op_determinism_enabled()
    devices = tf.config.get_visible_devices()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        tf.random.set_seed(seed)
        keras_compat.set_seed_state(of_keras)
        if not deterministic:
            config.disable_op_determinism()
        # TensorFlow refuses to change them once it has started.
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices(devices)
