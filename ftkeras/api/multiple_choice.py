"""A Keras model that chooses one of the options of a question."""

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ftkeras.api.string_model import StringModel, activated, as_objects, is_column
from ftkeras.data.tables import options as read_options
from ftkeras.heads.multiple_choice import MultipleChoice as MultipleChoiceHead
from ftkeras.text.options import split
from ftkeras.text.preprocessor import Preprocessor

# What a model is called with.
COLUMNS = ("question", "options")


# The head is registered as MultipleChoice.
@keras.saving.register_keras_serializable(package="ftkeras", name="MultipleChoiceModel")
class MultipleChoice(StringModel):
    """A Keras model that takes questions with options and returns the probability of each option.

    It is used like `ftkeras.TextClassifier`, with {"question": …, "options": …}. The options of a
    question are a list of texts, or a string with one in each line. Questions may have different
    numbers of options, at least two. An answer is the number of the right option, from 0. To start
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

    def _column(self, name: str, values: Any) -> Any:
        """Return options as strings with one in each line, and questions as they are."""
        if name == COLUMNS[0] or not is_column(values):
            return super()._column(name, values)
        return as_objects([self._joined(options) for options in values])

    def _joined(self, options: Any) -> str | bytes:
        """Return the options of a question as a string with one in each line."""
        if isinstance(options, str | bytes):
            return options
        try:
            found = read_options.read([list(options) if is_column(options) else options]).texts
        except ValueError as error:
            raise ValueError(f"`x`: {error}.") from None
        if len(found) > self.head.options:
            raise ValueError(
                f"`x` must have at most {self.head.options} options for each question, or the "
                f"model must be made with more `options`. Received: {len(found)}."
            )
        # A line holds one option.
        return "\n".join(" ".join(option.split()) for option in found)

    def _answers(self, x: Any, y: Any) -> Any:
        """Return the numbers of the right options as Keras takes them."""
        if y is None or not is_column(y):
            return y
        answers = np.asarray(y)
        if answers.dtype.kind not in "iu":
            raise ValueError(
                "`y` must be the numbers of the right options, from 0. "
                f"Received: {answers.flat[0]!r}."
            )
        options = x[COLUMNS[1]] if isinstance(x, dict) else None
        counts: Any = self.head.options
        if isinstance(options, np.ndarray):
            mask = split(tf.convert_to_tensor(options, tf.string), self.head.options).mask
            counts = mask.numpy().sum(axis=1)
        wrong = np.flatnonzero((answers < 0) | (answers >= counts))
        if len(wrong):
            number = wrong[0]
            count = np.broadcast_to(counts, answers.shape)[number]
            raise ValueError(
                "`y` must be the numbers of the right options, from 0. "
                f"Received: {answers[number]} for question {number}, which has {count} options."
            )
        return answers
