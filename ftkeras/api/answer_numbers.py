"""Numbers that answers have to be, checked in arrays and in the graphs of datasets."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.api.columns import rank, received, shown
from ftkeras.support.bounds import LARGEST_FLOAT32

Array = Any


@dataclass(frozen=True)
class Numbers:
    """Numbers that answers have to be.

    Attributes:
        of: what they are, as in "`y` must be …".
        width: how many belong to an example, [examples, width]; None for one, [examples].
        low: the smallest one.
        high: the largest one, or an array of the largest ones of each example.
        whole: whether they are whole numbers.
        in_order: whether none may be smaller than the first one of its example.
        remedy: what to do with strings in a dataset, as in "…; …".
    """

    of: str
    width: int | None = None
    low: float = -math.inf
    high: Any = math.inf
    whole: bool = False
    in_order: bool = False
    remedy: str = ""

    def checked(self, numbers: Array, argument: str = "y") -> Array:
        """Return numbers as Keras takes them: int32 if they are whole, else float32.

        Args:
            numbers: an array, or a tensor in a graph.
            argument: the name of the argument that holds them.

        Raises:
            ValueError: if they are wrong. It names the first one.
            tf.errors.InvalidArgumentError: in a graph, of the same text.
        """
        self._check_type(numbers, argument)
        numbers = self._shaped(numbers, argument)
        dtype = "int32" if self.whole else "float32"
        if isinstance(numbers, np.ndarray):
            self._check(numbers, argument)
            return numbers.astype(dtype)
        with tf.control_dependencies([self._assertion(numbers, argument)]):
            return tf.cast(numbers, dtype)

    def _check_type(self, numbers: Array, argument: str) -> None:
        if isinstance(numbers, np.ndarray):
            if numbers.dtype.kind not in "biuf":
                wrong = next(v for v in numbers.flat if not is_number(v))
                raise ValueError(f"`{argument}` must be {self.of}. Received: {shown(wrong)}.")
        elif numbers.dtype == tf.string:
            remedy = f"; {self.remedy}" if self.remedy else ""
            raise ValueError(
                f"`{argument}` of a dataset must be numbers{remedy}. Received: strings."
            )
        elif isinstance(numbers, tf.RaggedTensor):
            raise ValueError(
                f"`{argument}` of a dataset must be {self.of}. Received: {received(numbers)}."
            )

    def _shaped(self, numbers: Array, argument: str) -> Array:
        """Return numbers in the shape that Keras takes."""
        if rank(numbers) is None:
            raise ValueError(
                f"`{argument}` of a dataset must have a shape; give it one in `output_signature`, "
                "or by `tf.ensure_shape`. Received: an unknown shape."
            )
        shape = tuple(numbers.shape)
        if self.width is None and len(shape) == 2 and shape[1] == 1:
            return numbers[:, 0]
        examples = shape[0] if shape else None
        wanted = (examples,) if self.width is None else (examples, self.width)
        if len(shape) != len(wanted) or shape[-1] not in (wanted[-1], None):
            raise ValueError(
                f"`{argument}` must be {self.of}, of shape {wanted}. Received: shape {shape}."
            )
        return numbers

    def _check(self, numbers: np.ndarray, argument: str) -> None:
        with np.errstate(invalid="ignore"):
            wrong = np.argwhere(self._is_wrong(numbers.astype("float64")))
        if len(wrong):
            place = tuple(wrong[0])
            raise ValueError(
                f"`{argument}` must be {self.of}{limit(numbers[place])}. "
                f"Received: {shown(numbers[place])} at position {place[0]}."
            )

    def _assertion(self, numbers: tf.Tensor, argument: str) -> tf.Operation:
        wrong = self._is_wrong(tf.cast(numbers, tf.float64))
        first = tf.concat([tf.boolean_mask(numbers, wrong), tf.zeros([1], numbers.dtype)], 0)[0]
        value = tf.strings.as_string(first, shortest=first.dtype.is_floating)
        message = [f"`{argument}` must be {self.of}. Received: ", value, "."]
        return tf.debugging.Assert(~tf.reduce_any(wrong), [tf.strings.join(message)])

    def _is_wrong(self, numbers: Array) -> Array:
        # No comparison holds for NaN.
        fits = (numbers >= self.low) & (numbers <= self.high) & (abs(numbers) <= LARGEST_FLOAT32)
        if self.whole:
            fits &= numbers % 1 == 0
        if self.in_order:
            fits &= numbers >= numbers[:, :1]
        return ~fits


def is_number(value: Any) -> bool:
    """Return whether a value is a number of Python that float32 can hold."""
    return isinstance(value, int | float) and abs(value) <= LARGEST_FLOAT32


def limit(value: Any) -> str:
    """Return the largest number of float32, for a message, if a finite one is above it; else ""."""
    is_any = isinstance(value, int | float | np.number)
    is_too_large = is_any and LARGEST_FLOAT32 < abs(value) < math.inf
    return f" of at most {LARGEST_FLOAT32:.2g}, the largest float32" if is_too_large else ""
