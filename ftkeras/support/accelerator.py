"""Find out whether this machine has a GPU or TPU, which needs other defaults than a CPU."""

import tensorflow as tf


def is_available() -> bool:
    """Return whether TensorFlow can use a GPU or TPU."""
    return any(tf.config.list_physical_devices(kind) for kind in ("GPU", "TPU"))
