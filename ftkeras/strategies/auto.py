import os

import tensorflow as tf

from ftkeras.strategies._base import Devices
from ftkeras.strategies.mirrored import Mirrored
from ftkeras.strategies.multi_worker import MultiWorker
from ftkeras.strategies.tpu import Tpu


class Auto:
    """Whatever there is.

    `multi_worker` where TF_CONFIG stands in the environment, `tpu` where a TPU answers, `mirrored`
    where there are several GPUs, and else the one device, with no strategy at all.
    """

    def open(self) -> Devices:
        """The devices."""
        if os.environ.get("TF_CONFIG"):
            return MultiWorker().open()
        if Tpu.answers():
            return Tpu().open()
        if len(tf.config.list_physical_devices("GPU")) > 1:
            return Mirrored().open()
        return Devices()

    def get_config(self) -> dict:
        return {}
