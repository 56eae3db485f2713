"""Choose the strategy that fits the machine."""

import os

import tensorflow as tf

from ftkeras.strategies._base import Devices
from ftkeras.strategies.mirrored import Mirrored
from ftkeras.strategies.multi_worker import MultiWorker
from ftkeras.strategies.tpu import Tpu


class Auto:
    """Choose the strategy that fits the machine.

    `multi_worker` if TF_CONFIG is set, `tpu` if there is a TPU, `mirrored` if there are several
    GPUs, and otherwise a single device without a strategy.

    >>> Auto().get_config()
    {}
    """

    def open(self) -> Devices:
        """Return the devices that were found."""
        if os.environ.get("TF_CONFIG"):
            return MultiWorker().open()
        if Tpu.is_available():
            return Tpu().open()
        if len(tf.config.list_physical_devices("GPU")) > 1:
            return Mirrored().open()
        return Devices()

    def get_config(self) -> dict:
        return {}
