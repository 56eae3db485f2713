"""The cores of a TPU."""

import os
import pathlib

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.strategies._base import Devices


class Tpu:
    """Use the cores of a TPU. All batches need one shape.

    It has never run on a TPU, because none was available. tests/strategies has the checks that need
    no TPU.

    Source: https://www.tensorflow.org/guide/tpu.

    Args:
        name: the TPU's name or grpc:// address; "local" on a TPU VM. None means the environment
            variable TPU_NAME, or "local" if it is not set.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.

    >>> Tpu(name="local").get_config()
    {'name': 'local'}
    """

    def __init__(self, *, name: str | None = None):
        if name is not None and not (isinstance(name, str) and name):
            raise ValueError(f"`name` must name a TPU. Received: {name!r}.")
        self.name = name

    @staticmethod
    def is_available() -> bool:
        """Return whether this machine has a TPU, or its environment names one.

        It does not ask Google's metadata service, which takes long where it does not exist.
        """
        return bool(os.environ.get("TPU_NAME")) or pathlib.Path("/dev/accel0").exists()

    def open(self) -> Devices:
        """Return the TPU's cores.

        Raises:
            UserError: the TPU does not answer; the message has TensorFlow's reason.
        """
        name = self.name or os.environ.get("TPU_NAME") or "local"
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(name)
            return Devices(tf.distribute.TPUStrategy(resolver))
        except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"strategy=tpu(name={name!r}) does not answer: {reason}") from error

    def get_config(self) -> dict:
        return {"name": self.name}
