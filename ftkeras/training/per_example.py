"""The gradients of a step whose examples must not know of each other."""

from typing import Any

import tensorflow as tf
from keras import ops

from ftkeras.privacy import Mechanism

Tensor = Any


def private_gradients(
    model: Any, inputs: dict[str, Tensor], answers: Any, mechanism: Mechanism
) -> list[Tensor]:
    """Return the gradients that a mechanism computes from those of single examples.

    The examples are on the leading axis, each with the rows that it has. A loop in the graph
    computes one after the other, each as a batch of its own: so the result is exact for whatever
    trains, whatever the loss, and needs the memory of one example. The loss of an example is the
    mean over its own parts, such as windows or words. One without a part has gradients of 0.

    Args:
        model: the `FineTuner`.
        inputs: [examples, rows, …].
        answers: of these.
        mechanism: bounds what an example adds, and adds noise.
    """
    # Padding changes no output, so texts are cut to their own length where that is easy.
    shortens = not (model.head.per_token or model.head.needs_vocabulary) and "token_ids" in inputs

    def add_example(number, sums):
        x, y = tf.nest.map_structure(lambda array: array[number], (inputs, answers))
        gradients = model.example_gradients(_shortened(x, model.pad_id) if shortens else x, y)
        return number + 1, mechanism.add(sums, gradients)

    examples = tf.shape(tf.nest.flatten(inputs)[0])[0]
    _, sums = tf.while_loop(
        lambda number, _: number < examples,
        add_example,
        (0, [tf.zeros_like(v.value) for v in model.trainable_variables]),
        parallel_iterations=1,  # the gradients of one example at a time are in memory
    )
    return mechanism.release(sums, model.optimizer.iterations.value)


def _shortened(inputs: dict[str, Tensor], pad_id: int) -> dict[str, Tensor]:
    """Return an example's rows without the columns that are padding in all of them."""
    lengths = ops.sum(ops.cast(ops.not_equal(inputs["token_ids"], pad_id), "int32"), axis=-1)
    longest = ops.maximum(ops.max(lengths), 1)
    return {name: array[:, :longest] for name, array in inputs.items()}
