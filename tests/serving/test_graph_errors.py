"""What is shown of TensorFlow's errors, from errors that TensorFlow raises."""

import pytest
import tensorflow as tf

from ftkeras.serving import graph_errors


def _gather(numbers):
    return tf.gather(tf.constant([1.0, 2.0]), numbers)


def _refuse(numbers):
    tf.debugging.Assert(tf.reduce_all(numbers < 2), ["too large"])
    return numbers


def _sum(numbers):
    return numbers + tf.constant([1, 2, 3])


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (_gather, "indices[1] = 7 is not in [0, 2)"),
        (_refuse, "assertion failed: [too large]"),
        (_sum, "Incompatible shapes: [3] vs. [2]"),
    ],
)
def test_reason_is_the_line_that_names_it(function, reason):
    graph = tf.function(
        function, autograph=False, input_signature=[tf.TensorSpec([None], tf.int32)]
    )
    with pytest.raises(tf.errors.OpError) as raised:
        graph(tf.constant([1, 7]))
    assert raised.value.message.count("\n") > 1
    assert graph_errors.reason(raised.value.message) == reason


def test_a_quoted_value_does_not_end_the_reason():
    shown = graph_errors.reason("Could not parse example input, value: '\x1c\x00'\n\t [[{{node}}]]")
    assert shown == r"Could not parse example input, value: '\x1c\x00'"
