"""Distribution strategies: the devices and machines of a run, one strategy in each file.

A strategy is built from its spec's keys. Its `open()` looks at the machine and returns `Devices`,
on which everything else is built. Call it once in a process, before TensorFlow does anything.
"""

from typing import TYPE_CHECKING, Protocol

from ftkeras.strategies._cluster import Cluster

if TYPE_CHECKING:
    from ftkeras.strategies._base import Devices

__all__ = ["Cluster", "Devices", "Strategy"]


class Strategy(Protocol):
    """Opens the devices of a run."""

    def open(self) -> "Devices":
        """Look at the machine and return its devices.

        Raises:
            UserError: the machine does not have them.
        """
        ...

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        ...


def __getattr__(name: str) -> object:
    """Import `Devices` on first use: `launch` needs only `Cluster`, and no TensorFlow."""
    if name == "Devices":
        from ftkeras.strategies._base import Devices

        return Devices
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
