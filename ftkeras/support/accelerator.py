"""Whether this machine has a GPU or TPU, which wants other defaults than a CPU."""

import tensorflow as tf


def is_there() -> bool:
    """Whether TensorFlow sees a GPU or TPU."""
    return any(tf.config.list_physical_devices(kind) for kind in ("GPU", "TPU"))
