"""Streams of random numbers that replicas share and yet draw differently from."""

import contextlib
import threading
from collections.abc import Iterator

import keras

# What `again` is at, in this thread: each replica is traced in one of its own.
_local = threading.local()


class Draws(keras.random.SeedGenerator):
    """Keras's SeedGenerator, but each replica of a training step draws for itself.

    seed of replica r = (s + r * 2654435769 mod 2³², n),     s the stream's seed, n draws made

    Keras keeps one state on all replicas, so its dropout would drop the same units in every part
    of a batch. The state stays one here, to be saved and restored as any weight; what is drawn
    from it differs. On one replica it is Keras's, bit for bit. The factor is 2³² over the golden
    ratio, which keeps the seeds of any number of replicas apart (Knuth, volume 3, section 6.4).
    """

    def next(self, ordered=True):
        given = getattr(_local, "given", None)
        if given is not None:
            return next(given)
        seed = self._drawn(ordered)
        if (noted := getattr(_local, "noted", None)) is not None:
            noted.append(seed)
        return seed

    def _drawn(self, ordered):
        seed = super().next(ordered)
        replica = _replica()
        if replica is None:
            return seed
        step = keras.ops.convert_to_tensor([2654435769, 0], dtype=seed.dtype)
        return seed + step * keras.ops.cast(replica, seed.dtype)


def kept(shape, rate, seeds):
    """Which of so many numbers dropout keeps.

    16 random bits a number, so that one draw does for two.

    Args:
        shape: integers, or integer tensors where a size is not known yet.
        rate: probability that a number is dropped, in [0, 1).
        seeds: what draws, as a `SeedGenerator` does; one draw.

    Returns:
        booleans of that shape, and the rate they were drawn by: `rate` to 1/65,536, never 0 or 1.
    """
    ops, sizes = keras.ops, list(shape)
    even = (axis for axis, size in enumerate(sizes) if isinstance(size, int) and size % 2 == 0)
    halved = next(even, None)
    if halved is not None:
        sizes[halved] //= 2
    drawn = keras.random.randint((*sizes, 1), -(2**31), 2**31 - 1, dtype="int32", seed=seeds)
    bits = ops.view(drawn, "int16")
    # With no size known to be even, half of the bits are for nobody.
    bits = bits[..., 0] if halved is None else ops.reshape(bits, shape)
    dropped = min(max(round(rate * 2**16), 1), 2**16 - 1)
    return bits >= dropped - 2**15, dropped / 2**16


@contextlib.contextmanager
def again(seeds: list) -> Iterator[None]:
    """Has what is computed meanwhile draw as it drew the first time.

    Args:
        seeds: empty the first time, when it takes each seed that is drawn; those are given again,
            in their order, any other time.
    """
    before = vars(_local).copy()
    _local.given, _local.noted = (iter(seeds), None) if seeds else (None, seeds)
    try:
        yield
    finally:
        vars(_local).clear()
        vars(_local).update(before)


def _replica():
    """This replica's number, or None where there is but one, or another backend than TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return context.replica_id_in_sync_group
