"""Shapes of targets: Keras turns a pandas Series and 1-D arrays into columns, or leaves them."""

from typing import Any

from keras import ops

Tensor = Any


def classes(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return class numbers without a last axis of 1, as `fit` makes it of a pandas Series."""
    is_column = len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1
    return ops.squeeze(y_true, -1) if is_column and y_pred.shape[-1] != 1 else y_true


def numbers(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return one number for each output, with the last axis that single outputs have."""
    is_flat = len(y_true.shape) == len(y_pred.shape) - 1 and y_pred.shape[-1] == 1
    return ops.expand_dims(y_true, -1) if is_flat else y_true
