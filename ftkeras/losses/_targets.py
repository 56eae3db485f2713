"""Shapes and bounds of targets: `fit` turns a pandas Series into a column, or leaves it."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ftkeras.support import bounds, keras_compat

Tensor = Any


class LossOfTargets(keras.losses.Loss):
    """A loss that does not read targets whose weight or mask is 0.

    There, numbers that are NaN are common, and so are labels such as -1 or -100, whose loss is NaN.
    But 0 times NaN is NaN.
    """

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> Tensor:
        for weight in (sample_weight, keras_compat.mask_of(y_pred)):
            if weight is not None:
                y_true = _zero_where_unused(y_true, weight)
        return super().__call__(y_true, y_pred, sample_weight)


def _zero_where_unused(y_true: Tensor, weight: Tensor) -> Tensor:
    """Return targets that are 0 where the weight is, which may have fewer axes, or one of 1."""
    y_true = ops.convert_to_tensor(y_true)
    is_used = ops.cast(ops.convert_to_tensor(weight), "bool")
    while len(is_used.shape) < len(y_true.shape):
        is_used = ops.expand_dims(is_used, -1)
    if len(is_used.shape) > len(y_true.shape):
        is_used = ops.squeeze(is_used, -1)
    return ops.where(is_used, y_true, ops.zeros_like(y_true))


def classes(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return class numbers without a last axis of 1, as `fit` makes it of a pandas Series."""
    is_column = len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1
    return ops.squeeze(y_true, -1) if is_column and y_pred.shape[-1] != 1 else y_true


def numbers(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return one number for each output, with the last axis that single outputs have."""
    is_flat = len(y_true.shape) == len(y_pred.shape) - 1 and y_pred.shape[-1] == 1
    return ops.expand_dims(y_true, -1) if is_flat else y_true


def nan_outside(losses: Tensor, numbers: Tensor, last: Any) -> Tensor:
    """Return the losses, NaN where the number of a class is above the last one, or below 0.

    A one-hot vector of it is 0, so it would go unnoticed. Keras's own losses are NaN on a GPU, too.
    """
    is_class = ops.logical_and(numbers >= 0, numbers <= last)
    return ops.where(is_class, losses, float("nan"))


def weights_of_labels(pos_weight: Any) -> list[float] | None:
    """Return the weight of each label's positive examples; None for none.

    Raises:
        ValueError: these are no numbers of at least 0, one for each label.
    """
    if pos_weight is None:
        return None
    if np.ndim(pos_weight) != 1:
        raise ValueError(
            "`pos_weight` must have a number for each label, such as [1.0, 2.0]. "
            f"Received: {pos_weight!r}."
        )
    for weight in pos_weight:
        bounds.not_negative(pos_weight=weight)
    return [float(weight) for weight in pos_weight]


def fit_labels(pos_weight: list[float] | None, y_true: Tensor, y_pred: Tensor) -> None:
    """Raise ValueError unless there is one weight for each label, if there are any."""
    if pos_weight is None:
        return
    if len(y_true.shape) < len(y_pred.shape):
        raise ValueError(
            "`pos_weight` must be None if each example has one class; use `class_weight` of `fit`. "
            f"Received: {pos_weight}."
        )
    if len(pos_weight) != y_pred.shape[-1]:
        raise ValueError(
            f"`pos_weight` must have a number for each of {y_pred.shape[-1]} labels. "
            f"Received: {pos_weight}."
        )
