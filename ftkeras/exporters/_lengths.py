"""The lengths that served batches are padded to: few, so that a server sees few shapes."""

import tensorflow as tf


def lengths(longest: int) -> list[int]:
    """16, 32, 48, 64, then four steps an octave: 80, 96, 112, 128, 160, …; and `longest`.

    A batch so padded is at most a quarter longer than its longest text (beyond 64 tokens), and the
    lengths up to 512 are 16 in all.

    Args:
        longest: tokens that a text is cut to; positive. The last length, whatever it is.

    >>> lengths(200)
    [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 200]
    """
    found, size = [], 16
    while size < longest:
        found.append(size)
        octave = 2 ** (size.bit_length() - 1)
        size += max(16, octave // 4)
    return [*found, longest]


def padded(ragged: dict[str, tf.RaggedTensor], *, sizes: list[int], fill: dict[str, int]) -> dict:
    """Ragged ids [batch, (length)] -> dense ones, padded to the first size that holds them all.

    Args:
        ragged: by name, all of the same row lengths, none above the last of `sizes`.
        sizes: rising.
        fill: by name, what padding is.
    """
    longest = tf.reduce_max(ragged["token_ids"].row_lengths())
    # Of no texts at all the maximum is the least integer there is, which the first size holds.
    place = tf.searchsorted(tf.constant(sizes, tf.int64), longest[tf.newaxis])[0]
    shape = tf.stack([-1, tf.gather(tf.constant(sizes, tf.int64), place)])
    return {name: ids.to_tensor(fill[name], shape=shape) for name, ids in ragged.items()}
