"""Random numbers that differ between replicas and can be repeated."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any

import keras


class _Seeds(threading.local):
    """The seeds that `replay` repeats or records.

    They are separate in each thread, because each replica is traced in a thread of its own.
    """

    replayed: Iterator[Any] | None = None
    recorded: list | None = None


_local = _Seeds()


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """A Keras SeedGenerator that gives each replica of a training step seeds of its own.

    seed of replica r = (s + r * 2654435769 mod 2³², n)

    where s is the generator's seed and n the number of seeds generated so far. Keras gives all
    replicas the same seed, so dropout would drop the same units in every part of a batch. Here the
    state is the same on all replicas, and saved and restored like any other variable, but the seeds
    differ. On one replica they equal Keras's, bit for bit. The factor is 2³² divided by the golden
    ratio, which spreads the seeds of any number of replicas evenly (Knuth, volume 3, section 6.4).
    """

    def next(self, ordered: bool = True) -> Any:
        if _local.replayed is not None:
            return next(_local.replayed)
        seed = self._next_of_replica(ordered)
        if _local.recorded is not None:
            _local.recorded.append(seed)
        return seed

    def _next_of_replica(self, ordered: bool) -> Any:
        seed = super().next(ordered)
        replica = _replica_id()
        if replica is None:
            return seed
        step = keras.ops.convert_to_tensor([2654435769, 0], dtype=seed.dtype)
        return seed + step * keras.ops.cast(replica, seed.dtype)


def keep_mask(shape: Sequence[Any], rate: float, seeds: Any) -> tuple[Any, float]:
    """Sample a dropout keep-mask from 16 random bits per number.

    Two numbers share one random int32, which halves the cost of sampling.

    Args:
        shape: integers, or integer tensors for sizes that are not known yet.
        rate: the probability that a number is dropped, in [0, 1).
        seeds: what `keras.random` accepts as a seed; used once.

    Returns:
        A boolean tensor of that shape, True where a number is kept; and the probability that was
        used: `rate` rounded to 1/65,536, never 0 or 1.
    """
    ops, sizes = keras.ops, list(shape)
    even = (axis for axis, size in enumerate(sizes) if isinstance(size, int) and size % 2 == 0)
    halved = next(even, None)
    if halved is not None:
        sizes[halved] //= 2
    integers = keras.random.randint((*sizes, 1), -(2**31), 2**31 - 1, dtype="int32", seed=seeds)
    bits = ops.view(integers, "int16")
    # If no size is known to be even, half of the bits stay unused.
    bits = bits[..., 0] if halved is None else ops.reshape(bits, shape)
    dropped = min(max(round(rate * 2**16), 1), 2**16 - 1)
    return bits >= dropped - 2**15, dropped / 2**16


def as_integer(seed: Any) -> int | None:
    """Return a seed as Keras takes it and a configuration stores it, such as one of NumPy.

    Raises:
        ValueError: if it is neither an integer nor None.
    """
    if seed is None:
        return None
    if not isinstance(seed, Integral):
        raise ValueError(f"`seed` must be an integer or None. Received: {seed!r}.")
    return int(seed)


@contextlib.contextmanager
def replay(seeds: list) -> Iterator[None]:
    """Record the seeds generated inside the context, or repeat recorded ones.

    Args:
        seeds: an empty list is filled with the seeds in their order; from a list that has some,
            each call gets the next seed instead of a new one.
    """
    before = _local.replayed, _local.recorded
    _local.replayed, _local.recorded = (iter(seeds), None) if seeds else (None, seeds)
    try:
        yield
    finally:
        _local.replayed, _local.recorded = before


def _replica_id() -> Any:
    """Return this replica's id, or None if there is one replica or no TensorFlow backend."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return context.replica_id_in_sync_group
