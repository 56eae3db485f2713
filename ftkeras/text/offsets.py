"""Convert offsets in bytes, which tokenizers give, to offsets in characters, which users expect."""

import tensorflow as tf


def to_characters(texts: tf.Tensor, offsets: tf.RaggedTensor) -> tf.RaggedTensor:
    """Convert byte offsets into texts to code points, with ops that TensorFlow Serving links.

    The code point offset of byte b is the number of characters that start before byte b. In an
    invalid text, characters are those of Python's `bytes.decode("utf-8", "replace")`: one for each
    maximal invalid sequence.

    Args:
        texts: string [batch], UTF-8.
        offsets: integer ragged [batch, (offsets)], from 0 to the text's length in bytes.

    Returns:
        Offsets into the decoded texts, of the shape and type of `offsets`.

    >>> to_characters(tf.constant(["é ☃!"]), tf.ragged.constant([[0, 3, 6, 7]])).to_list()
    [[0, 2, 3, 4]]
    """
    _, starts = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
    lengths = tf.cast(tf.strings.length(texts), tf.int64)
    # On one axis for all texts, each text's bytes come after those of the texts before it.
    base = tf.cumsum(lengths + 1, exclusive=True)
    axis = starts.flat_values + tf.gather(base, starts.value_rowids())
    wanted = tf.cast(offsets.flat_values, tf.int64) + tf.gather(base, offsets.value_rowids())
    before = tf.searchsorted(axis, wanted, out_type=tf.int64)
    characters = before - tf.gather(starts.row_starts(), offsets.value_rowids())
    return offsets.with_flat_values(tf.cast(characters, offsets.dtype))
