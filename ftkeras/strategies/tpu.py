import os
import pathlib

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.strategies._base import Devices


class Tpu:
    """The cores of a TPU.

    Never run on one, for none was at hand; what could be shown without stands in tests/strategies.
    Wants batches of one shape.
    Source: https://www.tensorflow.org/guide/tpu.

    Args:
        name: the TPU's name or grpc:// address; "local" on a TPU VM itself.

    Raises:
        ValueError: naming the argument and the value received.
    """

    def __init__(self, *, name: str | None = None):
        if name is not None and not (isinstance(name, str) and name):
            raise ValueError(f"`name` must name a TPU. Received: {name!r}.")
        self.name = name

    @staticmethod
    def answers() -> bool:
        """Whether this machine is a TPU's, or says where one is.

        Read off the machine, not by asking Google's metadata service, which keeps one waiting
        where it is not there.
        """
        return bool(os.environ.get("TPU_NAME")) or pathlib.Path("/dev/accel0").exists()

    def open(self) -> Devices:
        """The TPU's cores.

        Raises:
            UserError: where the TPU does not answer, with what TensorFlow says.
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
