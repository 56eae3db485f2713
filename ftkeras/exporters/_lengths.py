"""The few lengths that served batches are padded to, so that a server sees few shapes."""

import tensorflow as tf


def lengths(longest: int) -> list[int]:
    """Return 16, 32, 48, 64, then four steps an octave: 80, 96, 112, 128, 160, …; and `longest`.

    A batch padded to the next length is at most a quarter longer than its longest text (beyond 64
    tokens), and up to 512 there are 16 lengths.

    Args:
        longest: The tokens that a text is truncated to; positive. It is always the last length.

    >>> lengths(200)
    [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 200]
    """
    sizes, size = [], 16
    while size < longest:
        sizes.append(size)
        octave = 2 ** (size.bit_length() - 1)
        size += max(16, octave // 4)
    return [*sizes, longest]


def pad(
    ragged: dict[str, tf.RaggedTensor], *, sizes: list[int], fill: dict[str, int]
) -> dict[str, tf.Tensor]:
    """Return ragged ids [batch, (length)] padded to the first size that holds them all.

    Args:
        ragged: Ids by name, all with the same row lengths, none above the last of `sizes`.
        sizes: Lengths in ascending order.
        fill: The padding value by name.
    """
    longest = tf.reduce_max(ragged["token_ids"].row_lengths())
    # Without any text the maximum is the smallest integer, so the first size is chosen.
    shape = tf.stack([-1, round_up(longest[tf.newaxis], sizes)[0]])
    return {name: ids.to_tensor(fill[name], shape=shape) for name, ids in ragged.items()}


def round_up(counts: tf.Tensor, sizes: list[int]) -> tf.Tensor:
    """Return for each number the first size that is no smaller.

    Args:
        counts: integers, none above the last of `sizes`.
        sizes: in ascending order.

    >>> round_up(tf.constant([3, 16, 17]), [16, 32]).numpy()
    array([16, 16, 32], dtype=int32)
    """
    choices = tf.constant(sizes, counts.dtype)
    return tf.gather(choices, tf.searchsorted(choices, counts))
