"""The options of questions, which are one text with an option in each line."""

from typing import Any, NamedTuple

import tensorflow as tf

# The separator of two options: a line end or a tab, and blanks around it.
_BETWEEN = r"[ \r]*[\n\t][ \r\n\t]*"


class Options(NamedTuple):
    """The options of some questions.

    Attributes:
        texts: string [batch, most]; empty if a question has no further option.
        mask: whether there is an option, bool [batch, most].
    """

    texts: tf.Tensor
    mask: tf.Tensor


def split(texts: tf.Tensor, most: int) -> Options:
    r"""Return the options of each question; at least one.

    Options are separated by line ends (\n or \r\n) or tabs; empty ones are skipped.

    Args:
        texts: string [batch].
        most: the options that a question may have.

    Raises:
        tf.errors.InvalidArgumentError: in the graph, if a question has more.

    >>> split(tf.constant(["yes\nno", "red\tgreen\t\tblue\n"]), 3).texts.numpy().tolist()
    [[b'yes', b'no', b''], [b'red', b'green', b'blue']]
    """
    clean = tf.strings.strip(tf.strings.regex_replace(texts, _BETWEEN, "\n"))
    lines: Any = tf.strings.split(clean, "\n")
    counts = lines.row_lengths()
    check = tf.debugging.Assert(
        tf.reduce_all(counts <= most),
        [
            f"`pairs`: a question has more options than {most}, the most that the model was "
            "trained on (`options`)"
        ],
    )
    with tf.control_dependencies([check] if check is not None else []):
        dense = lines.to_tensor("", shape=[None, most])
    return Options(dense, tf.sequence_mask(counts, most))
