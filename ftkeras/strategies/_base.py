"""The devices that a strategy opens."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from ftkeras.errors import LostWorker, UserError
from ftkeras.support.exchange import Exchange


@dataclass(frozen=True)
class Devices:
    """The devices that a strategy opened, and this process's rank among the workers.

    Every worker runs the same program on its own part of each batch. All workers have the same
    weights and see the same metrics, so they make the same decisions. Only the chief writes files
    and prints.

    Attributes:
        strategy: TensorFlow's strategy; the default one if there is one device.
        worker: number of this process, from 0.
        workers: number of processes.
        exchange: how replicas add up their gradients.
    """

    strategy: tf.distribute.Strategy = field(default_factory=tf.distribute.get_strategy)
    worker: int = 0
    workers: int = 1
    exchange: Exchange = field(default_factory=Exchange)

    @property
    def is_chief(self) -> bool:
        """True if this process writes files and messages."""
        return self.worker == 0

    @property
    def replicas(self) -> int:
        """Number of parts that a batch is split into, over all workers."""
        return self.strategy.num_replicas_in_sync

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Open the scope in which model and optimizer are created."""
        with self.strategy.scope(), self.exchange.scope():
            yield

    @contextlib.contextmanager
    def report_lost_workers(self) -> Iterator[None]:
        """Replace TensorFlow's error by one line if another worker is gone.

        Raises:
            LostWorker: another worker of the run ended while this one waited for it.
        """
        try:
            yield
        except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
            if self.workers == 1:
                raise
            raise LostWorker(
                f"worker {self.worker}: another worker of the run is gone; run the same command "
                "on all of them to resume from the last checkpoint."
            ) from error

    @contextlib.contextmanager
    def silence_other_workers(self) -> Iterator[None]:
        """Discard what workers other than the chief write to stdout and stderr; keep errors."""
        if self.is_chief:
            yield
            return
        with (
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            yield

    def broadcast_from_chief(self, content: bytes) -> bytes:
        """Return the chief's `content` on every worker. All must call it, in the same order.

        It lets workers agree without a shared file system, for example on the checkpoint to resume
        from, or on its content.
        """
        if self.workers == 1:
            return content
        size = self._broadcast(np.array([len(content)], np.int64))
        mine = np.frombuffer(content, np.uint8) if self.is_chief else np.zeros(size[0], np.uint8)
        return self._broadcast(mine.astype(np.int32)).astype(np.uint8).tobytes()

    def all_reduce_max(self, number: int) -> int:
        """Return the largest of the workers' numbers. All must call it, in the same order.

        It lets workers act together on what only one of them received, such as a signal to stop. A
        worker that continued alone would wait for the others forever.
        """
        if self.workers == 1:
            return number
        own = np.zeros(self.workers, np.int32)
        own[self.worker] = number
        return int(self._all_reduce_sum(own).max())

    def _broadcast(self, array: np.ndarray) -> np.ndarray:
        return self._all_reduce_sum(array if self.is_chief else np.zeros_like(array))

    def _all_reduce_sum(self, array: np.ndarray) -> np.ndarray:
        """Return the sum over workers. Each counts once, however many replicas it has."""
        return self.strategy.experimental_local_results(self._sum(array))[0].numpy()

    @functools.cached_property
    def _sum(self) -> Callable:
        local = self.replicas // self.workers

        def sum_on_replica(array):
            context = tf.distribute.get_replica_context()
            counts = tf.cast(context.replica_id_in_sync_group % local == 0, array.dtype)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, counts * array)

        return tf.function(lambda array: self.strategy.run(sum_on_replica, args=(array,)))


def split_cpu(count: int) -> list[str]:
    """Split the CPU into `count` logical devices, and return their names.

    It is for trying on one machine what runs on several devices.

    Raises:
        UserError: TensorFlow has already started with fewer.
    """
    cpu = tf.config.list_physical_devices("CPU")[0]
    # TensorFlow refuses once it has started. The devices that exist may still be enough.
    with contextlib.suppress(RuntimeError):
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * count
        )
    names = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(names) < count:
        raise UserError(
            f"`strategy`: logical_devices={count} comes too late: TensorFlow has started with "
            f"{len(names)}. Use a process of its own."
        )
    return names[:count]


def local_devices(names: tuple[str, ...]) -> list[str]:
    """Return the full names of devices of this machine, given names such as GPU:0.

    Raises:
        UserError: naming the device that does not exist, and those that do; or two names of the
            same device.
    """
    available = {
        f"{device.device_type}:{device.name.rpartition(':')[2]}": device.name
        for device in tf.config.list_logical_devices()
    }
    found: dict[str, str] = {}
    for name in names:
        key = name.upper().removeprefix("/").removeprefix("DEVICE:")
        if key not in available:
            raise UserError(
                f"`strategy`: there is no device {name!r}; there are: {', '.join(available)}."
            )
        if key in found:
            raise UserError(
                f"`strategy`: {found[key]!r} and {name!r} are the same device; name it once."
            )
        found[key] = name
    return [available[key] for key in found]
