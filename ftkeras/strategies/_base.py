import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from ftkeras.errors import LostWorker, UserError


@dataclass(frozen=True)
class Devices:
    """What a strategy opened, and the place of this process in it.

    Every worker runs the same program on its own part of each batch. All of them hold the same
    weights and hear the same figures, so they decide alike; what leaves the process (files, what
    is printed) is the chief's alone.

    Attributes:
        strategy: TensorFlow's; its default one where there is one device.
        worker, workers: this process's number, from 0, and how many there are.
    """

    strategy: tf.distribute.Strategy = field(default_factory=tf.distribute.get_strategy)
    worker: int = 0
    workers: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether this process writes and prints."""
        return self.worker == 0

    @property
    def replicas(self) -> int:
        """How many parts a batch is worked on in, all workers together."""
        return self.strategy.num_replicas_in_sync

    def scope(self) -> contextlib.AbstractContextManager:
        """Where the model and the optimizer are made."""
        return self.strategy.scope()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Where workers wait for each other, says in one line that one of them has gone.

        Raises:
            LostWorker: in the place of TensorFlow's error.
        """
        try:
            yield
        except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
            if self.workers == 1:
                raise
            raise LostWorker(
                f"worker {self.worker}: another worker of the run has gone; the same command on "
                "all of them goes on from the last checkpoint."
            ) from error

    @contextlib.contextmanager
    def quiet_beside_chief(self) -> Iterator[None]:
        """Holds back what a worker beside the chief would print; what it raises comes through."""
        if self.is_chief:
            yield
            return
        with (
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            yield

    def from_chief(self, content: bytes) -> bytes:
        """The chief's `content`, on every worker; all of them must call it, in the same order.

        So that workers agree without a file system that they share, on which checkpoint to go on
        from, say, or on its very content.
        """
        if self.workers == 1:
            return content
        size = self._broadcast(np.array([len(content)], np.int64))
        mine = np.frombuffer(content, np.uint8) if self.is_chief else np.zeros(size[0], np.uint8)
        return self._broadcast(mine.astype(np.int32)).astype(np.uint8).tobytes()

    def agreed(self, number: int) -> int:
        """The largest of the workers' numbers; all of them must call it, in the same order.

        So that workers do together what only one of them was told, to stop at this step, say: one
        that went on alone would wait for the others for ever.
        """
        if self.workers == 1:
            return number
        own = np.zeros(self.workers, np.int32)
        own[self.worker] = number
        return int(self._summed(own).max())

    def _broadcast(self, array: np.ndarray) -> np.ndarray:
        return self._summed(array if self.is_chief else np.zeros_like(array))

    def _summed(self, array: np.ndarray) -> np.ndarray:
        """The sum over all workers, each of which counts once, whatever replicas it has."""
        return self.strategy.experimental_local_results(self._sum(array))[0].numpy()

    @functools.cached_property
    def _sum(self):
        local = self.replicas // self.workers

        def of_replica(array):
            context = tf.distribute.get_replica_context()
            counts = tf.cast(context.replica_id_in_sync_group % local == 0, array.dtype)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, counts * array)

        return tf.function(lambda array: self.strategy.run(of_replica, args=(array,)))


def split_cpu(count: int) -> list[str]:
    """Makes `count` devices of the CPU, to try on one machine what runs on many; their names."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    # Once TensorFlow has begun it refuses; then what there is must do.
    with contextlib.suppress(RuntimeError):
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * count
        )
    names = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(names) < count:
        raise UserError(
            f"`strategy`: logical_devices={count} comes too late, TensorFlow has begun with "
            f"{len(names)}; a process of its own would do."
        )
    return names[:count]


def local_devices(names: tuple[str, ...]) -> list[str]:
    """The full names of devices of this machine, such as GPU:0.

    Raises:
        UserError: naming the device that is not there, and those that are.
    """
    there = {
        f"{device.device_type}:{device.name.rpartition(':')[2]}": device.name
        for device in tf.config.list_logical_devices()
    }
    short = [name.upper().removeprefix("/").removeprefix("DEVICE:") for name in names]
    for name, key in zip(names, short, strict=True):
        if key not in there:
            raise UserError(
                f"`strategy`: there is no device {name!r}; there are: {', '.join(there)}."
            )
    return [there[key] for key in short]
