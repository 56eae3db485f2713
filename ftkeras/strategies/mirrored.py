"""Several devices of one machine."""

from collections.abc import Sequence

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.strategies._base import Devices, local_devices, split_cpu
from ftkeras.support import bounds


class Mirrored:
    """Use several devices of one machine, each with all weights and a part of every batch.

    g = Σ_r g_r over the replicas r, where g_r is the replica's share of the mean over all examples
    of the batch. So the update equals that of a single device with the whole batch.

    Source: https://www.tensorflow.org/api_docs/python/tf/distribute/MirroredStrategy.

    Args:
        devices: names such as ('GPU:0', 'GPU:1'); None for all GPUs.
        logical_devices: number of devices into which to split the CPU, to try it out; at least 1.
            Not together with `devices`.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Mirrored(logical_devices=2).get_config()
    {'devices': None, 'logical_devices': 2}
    """

    def __init__(self, *, devices: Sequence[str] | None = None, logical_devices: int | None = None):
        if devices is not None:
            named = isinstance(devices, (tuple, list)) and all(isinstance(d, str) for d in devices)
            if not named or not devices or len(set(devices)) < len(devices):
                raise ValueError(
                    "`devices` must be names, each once, such as ('GPU:0', 'GPU:1'). "
                    f"Received: {devices!r}."
                )
        if logical_devices is not None:
            bounds.integer(1, logical_devices=logical_devices)
            if devices is not None:
                raise ValueError(
                    "`logical_devices` and `devices` can't be combined. "
                    f"Received: {logical_devices} and {devices!r}."
                )
        self.devices, self.logical_devices = devices, logical_devices

    def open(self) -> Devices:
        """Return the devices.

        Raises:
            UserError: the machine does not have them.
        """
        names = self._names()
        on_cpu = all("CPU" in name for name in names)
        # The collectives of two such strategies in one process would interfere with each other.
        reduction = tf.distribute.ReductionToOneDevice() if on_cpu else None
        return Devices(tf.distribute.MirroredStrategy(names, cross_device_ops=reduction))

    def _names(self):
        if self.logical_devices is not None:
            return split_cpu(self.logical_devices)
        if self.devices is not None:
            return local_devices(tuple(self.devices))
        gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
        if not gpus:
            raise UserError(
                "strategy=mirrored: this machine has no GPU; set devices=(…), or try it with "
                "logical_devices=2, which splits the CPU."
            )
        return gpus

    def get_config(self) -> dict:
        return {"devices": self.devices, "logical_devices": self.logical_devices}
