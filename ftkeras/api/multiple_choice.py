"""A Keras model that chooses one of the options of a question."""

import os
import re
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.columns import is_column, plain, shown, texts
from ftkeras.api.string_model import StringModel, activated
from ftkeras.api.text_rows import TextRows
from ftkeras.data.tables import options as read_options
from ftkeras.heads.multiple_choice import MultipleChoice as MultipleChoiceHead
from ftkeras.text.options import split
from ftkeras.text.preprocessor import Preprocessor

# What a model is called with.
COLUMNS = ("question", "options")
# The smallest number of options of a question.
LEAST = 2


# The head is registered as MultipleChoice.
@keras.saving.register_keras_serializable(package="ftkeras", name="MultipleChoiceModel")
class MultipleChoice(StringModel):
    """A Keras model that takes questions with options and returns the probability of each option.

    It is used like `ftkeras.TextClassifier`, with {"question": …, "options": …}. The options of a
    question are a list of texts, or a string with one in each line. Questions may have different
    numbers of options, at least two. An answer is the number of the right option, from 0. In a
    `tf.data.Dataset`, options are such strings, or ragged or padded batches of options. To start
    from a checkpoint, use `from_pretrained`.

    Args:
        preprocessor: layer that turns texts into token ids, made with reads="options".
        encoder: layer that turns token ids into hidden states.
        head: layer that turns the hidden states of a question's options into their scores.
        activation: "softmax" to return probabilities, or "linear" to return scores.
        name: the model's name.

    Attributes:
        preprocessor, encoder, head: the layers.

    Call: a dict of two columns of strings [questions] -> float32 [questions, options]; 0, or a
        score of -10,000, for options that a question lacks.

    Raises:
        ValueError: if an argument is wrong. The message names it.
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        activation: str = "softmax",
        name: str = "multiple_choice",
    ):
        if preprocessor.reads == "options" and preprocessor.options != head.options:
            raise ValueError(
                f"`preprocessor` must be made with options={head.options}, as `head` has outputs. "
                f"Received: options={preprocessor.options}."
            )
        answer = activated(activation)
        super().__init__(
            preprocessor=preprocessor,
            encoder=encoder,
            head=head,
            reads="options",
            columns=COLUMNS,
            answer=lambda outputs, _: answer(outputs),
            name=name,
        )
        self.activation = activation

    @classmethod
    def from_pretrained(
        cls,
        encoder: str | os.PathLike[str],
        options: int,
        *,
        max_length: int = 128,
        dropout: float = 0.1,
        activation: str = "softmax",
        seed: int | None = None,
        name: str = "multiple_choice",
        **kwargs: Any,
    ) -> "MultipleChoice":
        """Return a model with the encoder and tokenizer of a checkpoint, and a new head.

        Args:
            encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
                `bert-base-uncased`, which is downloaded unless it is in the cache.
            options: the maximum number of options of a question, at least 2.
            max_length: the maximum number of tokens of a question with one of its options,
                including special tokens.
            dropout: the dropout rate of the head, in [0, 1).
            activation: "softmax" to return probabilities, or "linear" to return scores, as
                `ftkeras.losses.CrossEntropy` and losses with `from_logits=True` require.
            seed: integer that determines new weights and dropout, or None.
            name: the model's name.
            **kwargs: `truncation` and `fixed_length` of `ftkeras.text.Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        reads = {"reads": "options", "options": options, **kwargs}
        parts = cls.read(encoder, max_length=max_length, pooler=True, seed=seed, **reads)
        head = MultipleChoiceHead(outputs=options, dropout=dropout, seed=seed)
        return cls(**parts, head=head, activation=activation, name=name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation}

    @property
    def classes(self) -> range:
        """The numbers of options."""
        return range(self.head.options)

    @property
    def rows(self) -> dict[str, TextRows]:
        """The rule that joins options into one string."""
        return {
            COLUMNS[1]: TextRows("options", "\n", "line ends", self._counts, least=LEAST),
        }

    def _counts(self, options: Any) -> Any:
        """Return the number of options of each question, given strings with one in each line."""
        found = split(tf.convert_to_tensor(options, tf.string), self.head.options)
        return tf.reduce_sum(tf.cast(found.mask, tf.int32), axis=1)

    def _column(self, name: str, values: Any) -> np.ndarray:
        """Return options as strings with one in each line, and questions as they are."""
        if name == COLUMNS[0]:
            return super()._column(name, values)
        return texts(values, self._argument(name), "options", "a list", self._joined)

    def _joined(self, options: Any) -> Any:
        """Return the options of a question as a string with one in each line."""
        options = plain(options)
        if isinstance(options, str):
            found = [line for line in re.split("[\n\t]", options) if line.strip()]
        else:
            given = [plain(option) for option in options] if is_column(options) else options
            try:
                found = read_options.read([given]).texts
            except ValueError as error:
                raise ValueError(f"`x['options']`: {error}.") from None
        if len(found) < LEAST:
            raise ValueError(
                "`x['options']` must have two or more options for each question, in a list or as "
                f"the lines of a string. Received: {shown(options)}."
            )
        if len(found) > self.head.options:
            raise ValueError(
                f"`x['options']` must have at most {self.head.options} options for each question, "
                f"or the model must be made with more `options`. Received: {len(found)}."
            )
        # A line holds one option.
        return "\n".join(" ".join(option.split()) for option in found)

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        of = "the numbers of the right options, from 0 to the number of a question's options less 1"
        last = tf.cast(self._counts(x[COLUMNS[1]]) - 1, tf.float64)
        is_in_memory = isinstance(x[COLUMNS[1]], np.ndarray)
        return Numbers(of, low=0, high=last.numpy() if is_in_memory else last, whole=True)
