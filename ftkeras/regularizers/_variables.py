"""The variables that regularizers act on."""

import re

import keras

from ftkeras.support.protocols import Model


def matching_variables(model: Model, where: str) -> list[keras.Variable]:
    """Return the trainable variables whose path matches a regular expression.

    Raises:
        ValueError: it matches none.
    """
    variables = [v for v in model.trainable_variables if re.search(where, v.path)]
    if not variables:
        example = next((v.path for v in model.trainable_variables), "but none trains")
        raise ValueError(
            f"`where` must match a trainable variable's path, such as {example}. "
            f"Received: {where!r}."
        )
    return variables


def constant_copy(variable: keras.Variable) -> keras.Variable:
    """Return a variable that keeps the present value."""
    value = keras.ops.convert_to_numpy(variable)
    return keras.Variable(value, dtype=variable.dtype, trainable=False, name="kept")
