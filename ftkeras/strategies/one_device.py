import tensorflow as tf

from ftkeras.strategies._base import Devices, local_devices


class OneDevice:
    """All on one device, whatever else there is.

    Args:
        device: GPU:1, CPU:0 and the like.

    Raises:
        ValueError: naming the argument and the value received.
    """

    def __init__(self, *, device: str = "CPU:0"):
        if not isinstance(device, str) or ":" not in device:
            raise ValueError(f"`device` must be a device such as GPU:0. Received: {device!r}.")
        self.device = device

    def open(self) -> Devices:
        """The device.

        Raises:
            UserError: where it is not there.
        """
        return Devices(tf.distribute.OneDeviceStrategy(local_devices((self.device,))[0]))

    def get_config(self) -> dict:
        return {"device": self.device}
