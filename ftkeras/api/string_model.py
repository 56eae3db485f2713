"""The base class of all Keras models on raw strings."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from ftkeras import encoders, text
from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.checked_model import CheckedModel, same_length
from ftkeras.api.columns import columns_of, numbers_or_names, rank, received, texts
from ftkeras.api.text_rows import TextRows
from ftkeras.support.in_keras import share
from ftkeras.support.seeds import as_integer
from ftkeras.text.preprocessor import Preprocessor, as_strings

log = logging.getLogger(__name__)
Tensor = Any
# Computes a model's outputs from those of its head and of its preprocessor.
Answer = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
# What an encoder is called with.
_IDS = ("token_ids", "padding_mask", "segment_ids")


class StringModel(CheckedModel, keras.Model):
    """The base class of Keras models that take raw strings.

    It is a functional model of its attributes `preprocessor`, `encoder` and `head`, and of a layer
    that turns the head's outputs into answers.

    Args:
        preprocessor: layer that turns texts into token ids.
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into outputs.
        reads: what `preprocessor` has to read.
        columns: the names of the inputs; a single one is not in a dict.
        answer: turns the outputs of `head` into the model's, given those of `preprocessor`.
        name: the model's name.

    Raises:
        ValueError: if `preprocessor` reads something else.
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        reads: str,
        columns: Sequence[str],
        answer: Answer,
        name: str,
    ):
        if preprocessor.reads != reads:
            raise ValueError(
                f"`preprocessor` must be made with reads={reads!r}. "
                f"Received: reads={preprocessor.reads!r}."
            )
        inputs = {name: keras.Input((), dtype="string", name=name) for name in columns}
        features, tokens = encode(preprocessor, encoder, *inputs.values(), head=head)
        outputs = answer(head(features, tokens["padding_mask"]), tokens)
        given = inputs if len(columns) > 1 else inputs[columns[0]]
        super().__init__(inputs=given, outputs=outputs, name=name)
        self.preprocessor, self.encoder, self.head = preprocessor, encoder, head
        share(self, encoder)
        self.columns, self._unread = tuple(columns), ""

    @staticmethod
    def read(
        encoder: str | os.PathLike[str],
        *,
        max_length: int,
        pooler: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the preprocessor and the encoder of a checkpoint.

        Args:
            encoder: the checkpoint.
            max_length: the maximum number of tokens per text.
            pooler: whether the head needs the encoder's pooler.
            seed: integer that determines new weights and dropout, or None.
            **kwargs: other arguments of `Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        preprocessor = text.from_pretrained(encoder, max_length, **kwargs)
        network = encoders.from_pretrained(encoder, pooler=pooler, seed=as_integer(seed))
        encoders.require_padding(network, preprocessor.tokenizer.special_ids, os.fspath(encoder))
        if max_length > network.positions:
            raise ValueError(
                f"`max_length` must be at most {network.positions}, the encoder's number of "
                f"positions. Received: {max_length}."
            )
        return {"preprocessor": preprocessor, "encoder": network}

    @property
    def answers_each(self) -> int | None:
        """The number of answers of each example that the loss adds up, if there are several."""
        return None

    @property
    def rows(self) -> Mapping[str, TextRows]:
        """Columns whose examples may be several texts, and how these become one string."""
        return {}

    def targets(self, x: Any, y: Any) -> np.ndarray:
        """Return answers as the numbers that the model learns, as a `tf.data.Dataset` has them.

            data = tf.data.Dataset.from_tensor_slices((x, model.targets(x, y))).batch(32)

        Args:
            x: the texts, in memory, as `fit` takes them.
            y: their answers, as `fit` takes them.

        Returns:
            An array whose first dimension is that of `y`.

        Raises:
            ValueError: if texts or answers are wrong. The message is the same as that of `fit`.
        """
        self._unread = ""
        return self._examples(x, y)[1]

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(self._selected(inputs, self._tensor), *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        parts = {"preprocessor": self.preprocessor, "encoder": self.encoder, "head": self.head}
        serialized = {n: keras.saving.serialize_keras_object(part) for n, part in parts.items()}
        return {**serialized, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Return the model of a configuration. Its tokenizer is read from assets afterwards."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("preprocessor", "encoder", "head")
        }
        return cls(**{**config, **parts})

    def _examples(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple:
        x = self._texts(x)
        if y is None:
            return (x,)
        found = x, self._checked(x, self._answers(x, y))
        return found if sample_weight is None else (*found, self._weights(x, sample_weight))

    def _batch(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple:
        x = self._selected(x, self._strings)
        if y is None:
            return (x,)
        found = x, self._checked(x, y)
        if sample_weight is None:
            return found
        return (*found, self._spread(sample_weight))

    def _given(
        self, x: Any, y: Any = None, sample_weight: Any = None, *, learns: bool = True
    ) -> tuple:
        if learns and self.distribute_strategy.num_replicas_in_sync > 1:
            raise ValueError(  # Keras would add up the texts that the replicas read
                "with several replicas, `x` must be tokenized batches: fit the model that "
                "`on_tokens` returns, or use `ftkeras.train`. Received: texts."
            )
        self._unread = ""
        return super()._given(x, y, sample_weight, learns=learns)

    def _texts(self, x: Any) -> Any:
        """Return texts in memory as Keras takes them: arrays of objects."""
        found = self._selected(x, self._column)
        sizes = (
            {name: len(column) for name, column in found.items()} if len(self.columns) > 1 else {}
        )
        if len(set(sizes.values())) > 1:
            shown = ", ".join(f"{size:,} of {name!r}" for name, size in sizes.items())
            raise ValueError(
                f"`x` must have the same number of texts in each column. Received: {shown}."
            )
        return found

    def _selected(self, x: Any, convert: Callable[[str, Any], Any]) -> Any:
        """Return the columns that the model reads, each converted; a single one is no dict."""
        columns, (first, *others) = columns_of(x), self.columns
        if columns is None:
            if others:
                wanted = ", ".join(f"{name!r}: …" for name in self.columns)
                raise ValueError(f"`x` must be a dict, {{{wanted}}}. Received: {received(x)}.")
            return convert(first, x)
        self._check_names(list(columns))
        found = {name: convert(name, columns[name]) for name in self.columns}
        return found if others else found[first]

    def _check_names(self, names: Sequence[str]) -> None:
        """Report columns that the model does not read.

        Raises:
            ValueError: if it lacks one that it reads.
        """
        if not set(names) >= set(self.columns):
            wanted = " and ".join(map(repr, self.columns))
            other = ""
            if names and len(self.columns) == 1:
                other = f", or be a column of texts, such as x[{names[0]!r}]"
            raise ValueError(
                f"`x` must have {wanted}{other}. "
                f"Received: {', '.join(map(repr, names)) or 'nothing'}."
            )
        unread = ", ".join(repr(name) for name in names if name not in self.columns)
        if unread and unread != self._unread:  # once, not for each batch of a generator
            log.warning("columns of `x` that the model does not read: %s", unread)
        self._unread = unread

    def _argument(self, name: str) -> str:
        """Return a column as a message names it."""
        return f"x[{name!r}]" if len(self.columns) > 1 else "x"

    def _column(self, name: str, values: Any) -> np.ndarray:
        """Return a column in memory as Keras takes it."""
        return texts(values, self._argument(name))

    def _tensor(self, name: str, values: Any) -> Any:
        """Return a column that the model is called with as a tensor."""
        if isinstance(values, tf.Tensor | keras.KerasTensor):
            return as_strings(values, self._argument(name))
        return as_strings(self._column(name, values))

    def _strings(self, name: str, values: Any) -> Any:
        """Return a column of a dataset's batch as Keras takes it."""
        argument = self._argument(name)
        is_tensor = isinstance(values, tf.Tensor | tf.RaggedTensor)
        if not is_tensor or values.dtype != tf.string:
            raise ValueError(f"`{argument}` must be strings. Received: {received(values)}.")
        shape = values.shape
        if shape.rank == 0:
            raise ValueError(f"`{argument}` must be batches; use `batch` of the dataset.")
        row = self.rows.get(name)
        if shape.rank == 2 and shape[1] == 1 and row is None:
            return values[:, 0]
        if shape.rank not in ((1,) if row is None else (1, 2)):
            raise ValueError(
                f"`{argument}` must be strings of shape (None,), one for each example. "
                f"Received: shape {shape}."
            )
        return values if row is None else row.joined(values, argument)

    def _answers(self, x: Any, y: Any) -> np.ndarray:
        """Return answers in memory as numbers, given texts as Keras takes them."""
        found = numbers_or_names(y, "y", "answers")
        same_length(x, found, "y")
        return found

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        """Return a description of valid answers, for messages.

        Args:
            x: the texts, as Keras takes them.
            y: the answers, an array or a tensor.
            loss: what the model is compiled with, or None.
        """
        raise NotImplementedError

    def _checked(self, x: Any, y: Any) -> Any:
        """Return answers, an array or a tensor, as Keras takes them."""
        return self._numbers(x, y, self._compiled_loss()).checked(y)

    def _weights(self, x: Any, weights: Any) -> Any:
        """Return weights in memory as Keras takes them."""
        found = numbers_or_names(weights, "sample_weight", "numbers")
        same_length(x, found, "sample_weight")
        return self._spread(found)

    def _spread(self, weights: Any) -> Any:
        """Return weights, an array or a tensor, of all answers of each example."""
        several = self.answers_each if rank(weights) == 2 else None
        found = Numbers("numbers", width=several).checked(weights, "sample_weight")
        if self.answers_each is None or several is not None:
            return found
        return found[:, None] * np.ones((1, self.answers_each), "float32")


def encode(
    preprocessor: Preprocessor, encoder: Any, *inputs: Tensor, head: Any
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the features of texts that a head reads, and the outputs of the preprocessor."""
    tokens = preprocessor(*inputs)
    ids = {name: part for name, part in tokens.items() if name in _IDS}
    return encoder(**ids, every_token=head.needs_every_token), tokens


def activated(activation: str) -> keras.layers.Layer:
    """Return the layer that applies an activation to the outputs of a head."""
    # In float32 also under mixed precision.
    return keras.layers.Activation(activation_of(activation), dtype="float32", name="answer")


def activation_of(activation: str) -> Callable[[Tensor], Tensor]:
    """Return an activation of Keras.

    Raises:
        ValueError: if there is none of that name.
    """
    try:
        return keras.activations.get(activation)
    except ValueError:
        raise ValueError(
            "`activation` must be one of Keras, such as 'softmax' or 'linear'. "
            f"Received: {activation!r}."
        ) from None
