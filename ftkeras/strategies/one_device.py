"""One device."""

import tensorflow as tf

from ftkeras.strategies._base import Devices, local_devices


class OneDevice:
    """Use one device, even if the machine has more.

    Args:
        device: a name such as GPU:1 or CPU:0.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.

    >>> OneDevice(device="GPU:1").get_config()
    {'device': 'GPU:1'}
    """

    def __init__(self, *, device: str = "CPU:0"):
        if not isinstance(device, str) or ":" not in device:
            raise ValueError(f"`device` must be a device such as GPU:0. Received: {device!r}.")
        self.device = device

    def open(self) -> Devices:
        """Return the device.

        Raises:
            UserError: the machine does not have it.
        """
        return Devices(tf.distribute.OneDeviceStrategy(local_devices((self.device,))[0]))

    def get_config(self) -> dict:
        return {"device": self.device}
