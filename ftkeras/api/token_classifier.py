"""A Keras model that gives each word of a text a label."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from ftkeras.api.labelled_text_model import check_labels
from ftkeras.api.string_model import StringModel, as_objects, is_column
from ftkeras.api.word_answers import WordAnswers
from ftkeras.heads.token_classification import TokenClassification
from ftkeras.text.preprocessor import Preprocessor
from ftkeras.text.truncations.head import Head
from ftkeras.text.words import split

# The smallest number of labels.
LEAST = 2


@keras.saving.register_keras_serializable(package="ftkeras")
class TokenClassifier(StringModel):
    """A Keras model that takes sentences and returns the probability of each label of each word.

    It is used like `ftkeras.TextClassifier`. A sentence is a list of words, or a string in which
    spaces separate words; its answer is a list with the label of each word, a name or a number. A
    word gets the answer of its first token. Words beyond `max_length` are not read. To start from a
    checkpoint, use `from_pretrained`.

    The outputs have a mask, so what is no word counts neither in losses nor in metrics. In a
    `tf.data.Dataset`, sentences are strings, and answers are numbers [batch, max_length], with any
    label where there is no word.

    Args:
        preprocessor: layer that turns texts into token ids, made with reads="words".
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into logits.
        labels: the names of the labels, strings in the order of the head's outputs.
        activation: "softmax" to return probabilities, or "linear" to return logits.
        name: the model's name.

    Attributes:
        preprocessor, encoder, head: the layers.
        labels: the names of the labels, a tuple.

    Call: strings [batch], or lists of words -> float32 [batch, max_length, labels]; 0 where there
        is no word, or it was not read.

    Raises:
        ValueError: if an argument is wrong. The message names it.
    """

    has_classes: ClassVar[bool] = False

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        labels: Sequence[str],
        activation: str = "softmax",
        name: str = "token_classifier",
    ):
        check_labels(labels, LEAST, head.classes)
        if not isinstance(preprocessor.truncation, Head):
            raise ValueError(
                "`truncation` must be Head: words are numbered from the beginning. "
                f"Received: {type(preprocessor.truncation).__name__}."
            )
        words = WordAnswers(preprocessor.max_length, activation=activation, name="answer")
        super().__init__(
            preprocessor=preprocessor,
            encoder=encoder,
            head=head,
            reads="words",
            columns=("text",),
            answer=lambda outputs, tokens: words((outputs, tokens["word_numbers"])),
            name=name,
        )
        self.labels, self.activation = tuple(map(str, labels)), activation

    @classmethod
    def from_pretrained(
        cls,
        encoder: str | os.PathLike[str],
        labels: Sequence[str],
        *,
        max_length: int = 128,
        dropout: float = 0.1,
        activation: str = "softmax",
        seed: int | None = None,
        name: str = "token_classifier",
        **kwargs: Any,
    ) -> "TokenClassifier":
        """Return a model with the encoder and tokenizer of a checkpoint, and a new head.

        Args:
            encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
                `bert-base-cased`, which is downloaded unless it is in the cache.
            labels: the names of the labels, at least two, such as "O", "B-PER", "I-PER". Label `i`
                is `labels[i]`.
            max_length: the maximum number of tokens per sentence, including special tokens.
            dropout: the dropout rate of the head, in [0, 1).
            activation: "softmax" to return probabilities, or "linear" to return logits, as
                `ftkeras.losses` and losses with `from_logits=True` require.
            seed: integer that determines new weights and dropout, or None.
            name: the model's name.
            **kwargs: `fixed_length` of `ftkeras.text.Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        check_labels(labels, LEAST)
        head = TokenClassification(classes=len(labels), dropout=dropout, seed=seed)
        reads = {"reads": "words", **kwargs}
        parts = cls.read(encoder, max_length=max_length, pooler=False, seed=seed, **reads)
        return cls(**parts, head=head, labels=labels, activation=activation, name=name)

    def predict_labels(self, x: Any, **kwargs: Any) -> list[list[str | None]]:
        """Return the most probable label of each word, for each sentence.

        Args:
            x: the sentences, a list of lists of words or of strings.
            **kwargs: those of `predict`, such as `batch_size`.

        Returns:
            The names of labels; None for words beyond `max_length`.
        """
        sentences = self._texts(x)
        if not isinstance(sentences, np.ndarray):
            raise ValueError(f"`x` must be a list of sentences. Received: {type(x).__name__}.")
        found = []
        for text, outputs in zip(sentences, self.predict(sentences, **kwargs), strict=True):
            is_read = outputs.any(axis=-1)
            names = [self.labels[n] for n in outputs.argmax(axis=-1)]
            read = [name if known else None for name, known in zip(names, is_read, strict=True)]
            count = _count(text)
            found.append([*read[:count], *[None] * (count - len(read))])
        return found

    def get_config(self) -> dict[str, Any]:
        own = {"labels": list(self.labels), "activation": self.activation}
        return {**super().get_config(), **own}

    def _column(self, name: str, values: Any) -> Any:
        """Return sentences as strings in which spaces separate words."""
        if not is_column(values):
            return values
        return as_objects([_joined(sentence) for sentence in values])

    def _answers(self, x: Any, y: Any) -> Any:
        """Return the labels of words as Keras takes them: numbers [sentences, max_length]."""
        if y is None or not is_column(y):
            return y
        numbers = {label: number for number, label in enumerate(self.labels)}
        rows = [self._row(labels, numbers) for labels in y]
        self._check_lengths(x, y, rows)
        return self._padded(rows, "int32")

    def _weights(self, x: Any, weights: Any) -> Any:
        """Return weights as Keras takes them: of each word, [sentences, max_length]."""
        if not is_column(weights):
            return weights
        rows = list(weights)
        if rows and not is_column(rows[0]):  # of whole sentences
            return np.repeat(np.asarray(rows, "float32")[:, np.newaxis], self._width, axis=1)
        self._check_lengths(x, weights, rows, argument="sample_weight")
        return self._padded(rows, "float32")

    @property
    def _width(self) -> int:
        """The number of words that the outputs have room for."""
        return self.preprocessor.max_length

    def _row(self, labels: Any, numbers: dict[str, int]) -> list[int]:
        """Return the numbers of a sentence's labels."""
        if not is_column(labels):
            raise ValueError(
                f"`y` must have a list of labels for each sentence. Received: {labels!r}."
            )
        found = []
        for label in labels:
            number = numbers.get(label) if isinstance(label, str) else label
            if not isinstance(number, int | np.integer) or not 0 <= number < len(numbers):
                raise ValueError(
                    f"`y` must be of the labels {', '.join(numbers)}, or their numbers. "
                    f"Received: {label}."
                )
            found.append(int(number))
        return found

    def _check_lengths(self, x: Any, given: Any, rows: Any, argument: str = "y") -> None:
        """Raise ValueError unless there is an answer, or a weight, for each word."""
        # A matrix is padded already.
        if getattr(given, "ndim", 1) == 2 or not isinstance(x, np.ndarray):
            return
        for text, row in zip(x, rows, strict=False):
            if len(row) != (count := _count(text)):
                raise ValueError(
                    f"`{argument}` must have one entry for each word. Received: {len(row)} for the "
                    f"{count} words of {text[:60]!r}."
                )

    def _padded(self, rows: Sequence[Any], dtype: str) -> np.ndarray:
        """Return rows as one array, [sentences, max_length]; 0 behind their end."""
        found = np.zeros((len(rows), self._width), dtype)
        for target, row in zip(found, rows, strict=True):
            target[: len(row)] = row[: self._width]
        return found


def _joined(sentence: Any) -> str | bytes:
    """Return a sentence as a string in which spaces separate words."""
    if isinstance(sentence, str | bytes):
        return sentence
    if not is_column(sentence):
        raise ValueError(f"`x` must be sentences: lists of words. Received: {sentence!r}.")
    for word in sentence:
        if not isinstance(word, str) or split(word) != [word]:
            raise ValueError(
                "`x` must consist of words, which are not empty and have no spaces; split or "
                f"replace this one, and its label. Received: {word!r}."
            )
    return " ".join(sentence)


def _count(text: str | bytes) -> int:
    """Return the number of words."""
    return len(split(text.decode("utf-8", "replace") if isinstance(text, bytes) else text))
