"""The common parts of the Keras models of this package: `fit` and its kin check what they get."""

import contextlib
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ftkeras.api.answer_numbers import is_number
from ftkeras.api.columns import plain, received, shown
from ftkeras.api.compiled import check_activation
from ftkeras.api.label_numbers import refuse_ambiguous
from ftkeras.support.bounds import LARGEST_FLOAT32

# Keras turns the bases of a functional model into `Functional`, so this is no `keras.Model`.
_Model = keras.Model if TYPE_CHECKING else object
_TENSORS = tf.TensorSpec | tf.RaggedTensorSpec
# A failed check within a graph, and an error of a generator.
_CHECK = re.compile(r"assertion failed: \[(.+)\]|^ValueError: (`.+)", re.MULTILINE)


class CheckedModel(_Model):
    """A mixin for Keras models that refuse wrong input in one line.

    Examples are columns in memory, or batches of a `tf.data.Dataset` or of a generator. A subclass
    says by `_examples` and `_batch` how Keras takes them.
    """

    # Of the outputs; empty if these are neither logits nor probabilities.
    activation: Any = ""

    @property
    def classes(self) -> Sequence[Any] | None:
        """The names of the classes; None if an example has not one class that Keras could weigh."""
        return None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Train as `keras.Model.fit`. Texts may be a list."""
        sample_weight = kwargs.pop("sample_weight", None)
        class_weight = self._class_weights(kwargs.pop("class_weight", None), sample_weight)
        if _has_batches(x) and not isinstance(x, keras.utils.PyDataset):
            kwargs.setdefault("shuffle", False)  # as Keras can't, and would warn
        with in_one_line():
            validation_data = self._validation(validation_data)
            x, y, *weights = self._given(x, y, sample_weight)
            return super().fit(
                x,
                y,
                batch_size=batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_split=validation_split,
                validation_data=validation_data,
                class_weight=class_weight,
                sample_weight=weights[0] if weights else None,
                **kwargs,
            )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Evaluate as `keras.Model.evaluate`. Texts may be a list."""
        weights: Any = sample_weight
        with in_one_line():
            # During `fit`, Keras passes what it already has.
            if not kwargs.get("_use_cached_eval_dataset"):
                x, y, *found = self._given(x, y, sample_weight)
                weights = found[0] if found else None
            return super().evaluate(x, y, batch_size, verbose, weights, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Return the answers, float32. Texts may be a list."""
        with in_one_line():
            x, *_ = self._given(x, learns=False)
            return super().predict(x, *args, **kwargs)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Train as `keras.Model.train_on_batch`. Texts may be a list."""
        class_weight = self._class_weights(class_weight, sample_weight)
        x, y, *weights = self._given(x, y, sample_weight)
        sample_weight = weights[0] if weights else None
        return super().train_on_batch(x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluate as `keras.Model.test_on_batch`. Texts may be a list."""
        x, y, *weights = self._given(x, y, sample_weight)
        return super().test_on_batch(x, y, weights[0] if weights else None, return_dict)

    def _examples(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple:
        """Return columns in memory as Keras takes them: x, y and, if there are any, weights."""
        raise NotImplementedError

    def _batch(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple:
        """Return a batch as Keras takes it, in the graph of a dataset."""
        raise NotImplementedError

    def _given(
        self, x: Any, y: Any = None, sample_weight: Any = None, *, learns: bool = True
    ) -> tuple:
        """Return all that is given as Keras takes it.

        Args:
            x: columns in memory, or an object that has the batches.
            y: the answers; None if x has batches.
            sample_weight: the weights, or None.
            learns: whether answers are read.
        """
        if learns:
            check_activation(self._compiled_loss(), self.activation)
        if _has_batches(x):
            extra = {"y": y, "sample_weight": sample_weight}
            for name, values in extra.items():
                if values is not None:
                    raise ValueError(
                        f"`{name}` must be None, as `x` has batches of (x, y, sample_weight). "
                        f"Received: {received(values)}."
                    )
            return self._batches(x, learns), None
        found = self._examples(x, y, sample_weight)
        if learns and y is None:
            self._check_answers(received(y))
        return found if len(found) > 1 else (*found, None)

    def _batches(self, x: Any, learns: bool) -> Any:
        """Return batches as Keras takes them."""
        if isinstance(x, types.GeneratorType):
            return (self._of_generator(batch, learns) for batch in x)
        if isinstance(x, tf.data.Dataset):
            spec: Any = x.element_spec
            parts: tuple[Any, ...] = spec if isinstance(spec, tuple) else (spec,)
            self._check_parts(parts, learns)
            if x.cardinality() == 0:
                raise ValueError("`x` must have one or more batches. Received: none.")
            if learns and not all(isinstance(part, _TENSORS) for part in parts[1:]):
                raise ValueError(
                    "`y` and `sample_weight` of a dataset must be one tensor each. Received: "
                    f"{shown(parts[1])}."
                )
            # AutoGraph would add lines of its own to the messages.
            convert = tf.autograph.experimental.do_not_convert(
                lambda *batch: self._batch(*batch) if learns else self._batch(batch[0])
            )
            return x.map(convert)
        if isinstance(x, keras.utils.PyDataset):
            self._check_first(x[0], learns)
        return x

    def _check_first(self, batch: Any, learns: bool) -> None:
        """Raise ValueError unless the first batch of a PyDataset is right."""
        parts = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
        columns = keras.tree.flatten(parts[:1])
        if unread := [column for column in columns if not _is_tensor(column)]:
            raise ValueError(
                "`x` must be a PyDataset of batches of tensors: make them of texts with "
                f"`tf.constant`. Received: a batch of {received(unread[0])}."
            )
        one = tf.data.Dataset.from_tensors(parts if learns else parts[:1])
        next(iter(self._batches(one, learns)))  # which checks it

    def _of_generator(self, batch: Any, learns: bool) -> tuple:
        """Return a batch of a generator as Keras takes it."""
        parts = batch if isinstance(batch, tuple) else (batch,)
        self._check_parts(parts, learns)
        x, *others = self._examples(*parts) if learns else self._examples(parts[0])
        return (keras.tree.map_structure(tf.convert_to_tensor, x), *others)

    def _check_parts(self, parts: tuple, learns: bool) -> None:
        """Raise ValueError unless the parts of a batch are x, y and sample_weight."""
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                "`x` must have batches of x, (x, y) or (x, y, sample_weight). "
                f"Received: batches of {len(parts)} parts."
            )
        if learns and len(parts) == 1:
            self._check_answers("batches without answers")

    def _compiled_loss(self) -> Any:
        """Return the loss, or None."""
        return self.loss if self.compiled else None  # else it is a method of Keras

    def _check_answers(self, given: str) -> None:
        """Raise ValueError if the loss needs answers, which are missing."""
        if self._compiled_loss() is not None:
            raise ValueError(f"`y` must be an answer for each example. Received: {given}.")

    def _validation(self, given: Any) -> Any:
        """Return validation data as Keras takes them."""
        if given is None:
            return None
        try:
            if _has_batches(given):
                return self._batches(given, learns=True)
            if isinstance(given, tuple | list) and len(given) in (2, 3):
                x, y, *weights = given
                return self._given(x, y, *weights)
        except ValueError as error:
            raise ValueError(f"`validation_data`: {error}") from None
        count = f" of {len(given)}" if isinstance(given, tuple | list) else ""
        raise ValueError(
            "`validation_data` must be a tuple (x, y) or (x, y, sample_weight), or a dataset. "
            f"Received: {received(given)}{count}."
        )

    def _class_weights(self, given: Any, sample_weight: Any = None) -> dict[int, float] | None:
        """Return the weight of each class, by number."""
        if given is None:
            return None
        if sample_weight is not None:
            raise ValueError(
                "`class_weight` must be None if there is a `sample_weight`, which can contain it. "
                f"Received: {shown(given)}."
            )
        if self.classes is None:
            raise ValueError(
                f"`class_weight` must be None for {self.name!r}, as an example has not one class; "
                f"use `sample_weight`. Received: {shown(given)}."
            )
        if not isinstance(given, Mapping) and not hasattr(given, "items"):
            raise ValueError(
                "`class_weight` must be a dict with the weight of each class, such as "
                f"{{{self.classes[0]!r}: 2.0}}. Received: {received(given)}."
            )
        return _by_number(given, self.classes)


def _by_number(given: Any, classes: Sequence[Any]) -> dict[int, float]:
    """Return the weight of each class by its number; 1 of those that are not given."""
    numbers = {name: number for number, name in enumerate(classes)}
    keys: dict[int, Any] = {}
    found = dict.fromkeys(range(len(numbers)), 1.0)
    for key, weight in given.items():
        if isinstance(key, Integral):
            refuse_ambiguous(classes, key, "class_weight")
        number = int(key) if isinstance(key, Integral) else numbers.get(key)
        if number not in found:
            names = ", ".join(map(str, classes))
            raise ValueError(
                f"`class_weight` must have keys from {names}, or their numbers from 0 to "
                f"{len(numbers) - 1}. Received: {shown(key)}."
            )
        if number in keys:
            raise ValueError(
                "`class_weight` must name each class once. "
                f"Received: {shown(keys[number])} and {shown(key)}."
            )
        weight = plain(weight)
        if not (is_number(weight) and weight >= 0):
            raise ValueError(
                f"`class_weight` must be a number from 0 to {LARGEST_FLOAT32:.2g}, the largest "
                f"float32. Received: {shown(weight)} for {shown(key)}."
            )
        keys[number], found[number] = key, float(weight)
    if not any(found.values()):
        raise ValueError(
            "`class_weight` must give at least one class a weight above 0. "
            f"Received: {shown(given)}."
        )
    return found


def same_length(x: Any, values: Any, argument: str) -> None:
    """Raise ValueError unless a column has as many entries as x.

    Args:
        x: an array or a dict of arrays.
        values: the column.
        argument: its name.
    """
    count = len(next(iter(x.values())) if isinstance(x, dict) else x)
    found = values.shape[0] if hasattr(values, "shape") else len(values)
    if found != count:
        raise ValueError(
            f"`{argument}` must have an entry for each of the {count:,} examples of `x`. "
            f"Received: {found:,}."
        )


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """Raise a check that fails in the graph of a dataset as a ValueError of one line."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if (match := _CHECK.search(str(error))) is None:
            raise
        check, of_generator = match.groups()
        raise ValueError(_unescaped(check) if check else of_generator) from None


def _unescaped(text: str) -> str:
    r"""Return a text that TensorFlow has escaped as C does.

    >>> _unescaped(r"\'caf\303\251\'")
    "'café'"
    """
    return text.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")


def _is_tensor(column: Any) -> bool:
    """Return whether Keras can read a column of a PyDataset: a tensor, or an array of numbers."""
    return (
        isinstance(column, tf.Tensor) or getattr(column, "dtype", np.dtype(object)).kind in "biuf"
    )


def _has_batches(x: Any) -> bool:
    """Return whether an object has batches, and no columns."""
    kinds = tf.data.Dataset | tf.distribute.DistributedDataset
    return isinstance(x, kinds | types.GeneratorType | keras.utils.PyDataset)
