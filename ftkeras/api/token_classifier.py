"""A Keras model that gives each word of a text a label."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ftkeras.api.answer_numbers import Numbers, is_number, limit
from ftkeras.api.checked_model import same_length
from ftkeras.api.columns import entries, is_column, plain, shown, texts
from ftkeras.api.label_numbers import refuse_ambiguous
from ftkeras.api.labelled_text_model import NAMES, check_labels, number_of, numbered
from ftkeras.api.string_model import StringModel
from ftkeras.api.text_rows import TextRows, assertion
from ftkeras.api.word_answers import WordAnswers
from ftkeras.heads.token_classification import TokenClassification
from ftkeras.support import plurals
from ftkeras.text.preprocessor import Preprocessor
from ftkeras.text.truncations.head import Head
from ftkeras.text.words import find_words, split

# The smallest number of labels.
LEAST = 2
# Sentences that are tokenized at a time.
SENTENCES = 1024

log = logging.getLogger(__name__)


@keras.saving.register_keras_serializable(package="ftkeras")
class TokenClassifier(StringModel):
    """A Keras model that takes sentences and returns the probability of each label of each word.

    It is used like `ftkeras.TextClassifier`. A sentence is a list of words, or a string in which
    spaces separate words; its answer is a list with the label of each word, a name or a number. A
    word gets the answer of its first token. Words beyond `max_length` are not read. Several strings
    that are all single words are refused, as they may be one sentence. To start from a checkpoint,
    use `from_pretrained`.

    The outputs have a mask, so what is no word counts neither in losses nor in metrics. In a
    `tf.data.Dataset`, sentences are strings, or their words in ragged or padded batches; answers
    are numbers in ragged or padded batches, with any number where there is no word.

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
        sentences, found = self._texts(x), []
        for text, outputs in zip(sentences, self.predict(x, **kwargs), strict=True):
            is_read = outputs.any(axis=-1)
            names = [self.labels[n] for n in outputs.argmax(axis=-1)]
            read = [name if known else None for name, known in zip(names, is_read, strict=True)]
            count = _count(text)
            found.append([*read[:count], *[None] * (count - len(read))])
        return found

    def get_config(self) -> dict[str, Any]:
        own = {"labels": list(self.labels), "activation": self.activation}
        return {**super().get_config(), **own}

    @property
    def rows(self) -> dict[str, TextRows]:
        """The rule that joins words into one string."""
        return {self.columns[0]: TextRows("words", " ", "spaces", _counts)}

    @property
    def answers_each(self) -> int:
        """The number of words that the outputs have room for."""
        return self.preprocessor.max_length

    def _column(self, name: str, values: Any) -> np.ndarray:
        """Return sentences as strings in which spaces separate words."""
        found = texts(values, "x", "sentences", "a list of words", _joined)
        is_string = [isinstance(plain(value), str) for value in entries(values, "x", "sentences")]
        if len(found) > 1 and all(is_string) and all(_count(text) == 1 for text in found):
            raise ValueError(
                "`x` must be sentences, and all of these strings are single words: if they are "
                "one sentence, give [x]; if each is one, give lists of one word. "
                f"Received: {', '.join(map(repr, found[:3]))}{', …' * (len(found) > 3)}."
            )
        return found

    def _answers(self, x: Any, y: Any) -> np.ndarray:
        """Return the numbers of labels, [sentences, max_length]."""
        numbers = numbered(self.labels)
        found = self._of_words(x, y, "y", lambda label, place: _number(numbers, label, place))
        self._report(x)
        return found

    def _report(self, sentences: np.ndarray) -> None:
        """Report words whose labels do not count."""
        parts = np.split(sentences, range(SENTENCES, len(sentences), SENTENCES))
        numbers = (self.preprocessor(part)["word_numbers"].numpy() for part in parts)
        lost = sum(map(_count, sentences)) - sum(
            int((part.max(axis=1) + 1).sum()) for part in numbers
        )
        if lost:
            words = plurals.counted(lost, "word is", "words are")
            log.warning(f"{words} beyond max_length={self.answers_each}: their labels do not count")

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        last = len(self.labels) - 1
        of = f"the numbers of the labels {', '.join(self.labels)}, from 0 to {last}, for each word"
        return Numbers(of, width=self.answers_each, low=0, high=last, whole=True, remedy=NAMES)

    def _checked(self, x: Any, y: Any) -> Any:
        if not isinstance(y, np.ndarray) and y.shape.rank == 2 and y.dtype != tf.string:
            counts = _counts(x)
            if isinstance(y, tf.RaggedTensor):
                wrong = tf.cast(y.row_lengths(), tf.int32) != counts
            else:
                wrong = tf.minimum(counts, self.answers_each) > tf.shape(y)[1]
            check = assertion(x, wrong, "`y` must have one label for each word of a sentence")
            with tf.control_dependencies([check]):
                is_word = tf.sequence_mask(counts, self.answers_each)
                y = tf.where(is_word, self._fitted(y), tf.zeros([], y.dtype))
        return super()._checked(x, y)

    def _weights(self, x: Any, weights: Any) -> Any:
        """Return weights of sentences or of words, [sentences, max_length]."""
        if not is_column(entries(weights, "sample_weight", "numbers")[0]):
            return super()._weights(x, weights)
        return self._spread(self._of_words(x, weights, "sample_weight", _weight))

    def _spread(self, weights: Any) -> Any:
        is_batch = not isinstance(weights, np.ndarray) and weights.shape.rank == 2
        return super()._spread(self._fitted(weights) if is_batch else weights)

    def _of_words(
        self, x: np.ndarray, values: Any, argument: str, read: Callable[[Any, int], float]
    ) -> np.ndarray:
        """Return a number for each word, float64 [sentences, max_length]; 0 where there is none.

        Args:
            x: the sentences, strings.
            values: for each sentence, the entries of its words; a matrix has more behind them.
            argument: the name of `values`.
            read: returns an entry as a number, given the position of its sentence.
        """
        given = entries(values, argument, "lists with an entry for each word")
        same_length(x, given, argument)
        found = np.zeros((len(x), self.answers_each))
        for position, (text, row) in enumerate(zip(x, given, strict=True)):
            if not is_column(row):
                raise ValueError(
                    f"`{argument}` must have a list for each sentence, with an entry for each "
                    f"word. Received: {shown(row)} at position {position}."
                )
            count = _count(text)
            own = list(row)[: count if getattr(values, "ndim", 1) == 2 else None]
            numbers = [read(entry, position) for entry in own]
            if len(numbers) != count:
                raise ValueError(
                    f"`{argument}` must have one entry for each word. Received: {len(numbers)} for "
                    f"the {count} words of {shown(text)}."
                )
            found[position, :count] = numbers[: self.answers_each]
        return found

    def _fitted(self, rows: Any) -> tf.Tensor:
        """Return rows of a dataset's batch, as many entries as the outputs have room for."""
        rows = rows.to_tensor() if isinstance(rows, tf.RaggedTensor) else rows
        rows = rows[:, : self.answers_each]
        paddings: Any = [[0, 0], [0, self.answers_each - tf.shape(rows)[1]]]
        return tf.ensure_shape(tf.pad(rows, paddings), [None, self.answers_each])


def _joined(sentence: Any) -> Any:
    """Return a sentence as a string in which spaces separate words."""
    sentence = plain(sentence)
    if not is_column(sentence):
        return sentence
    words = [plain(word) for word in sentence]
    for word in words:
        if not isinstance(word, str) or split(word) != [word]:
            raise ValueError(
                "`x` must consist of words, which are not empty and have no spaces; split or "
                f"replace this one, and its label. Received: {shown(word)}."
            )
    return " ".join(words)


def _number(numbers: Mapping[str, int], label: Any, position: int) -> int:
    """Return the number of a label, which may be a number already."""
    value = plain(label)
    if not isinstance(value, int | float):
        return number_of(numbers, value, position)
    refuse_ambiguous(tuple(numbers), value, "y")
    if value not in range(len(numbers)):
        raise ValueError(
            f"`y` must contain only the labels {', '.join(numbers)}, or their numbers; a word that "
            "should not count can have a `sample_weight` of 0. "
            f"Received: {shown(value)} at position {position}."
        )
    return int(value)


def _weight(weight: Any, position: int) -> float:
    """Return the weight of a word."""
    value = plain(weight)
    if not is_number(value):
        raise ValueError(
            f"`sample_weight` must be numbers{limit(value)}. "
            f"Received: {shown(value)} at position {position}."
        )
    return float(value)


def _count(text: str) -> int:
    """Return the number of words."""
    return len(split(text))


def _counts(texts: tf.Tensor) -> tf.Tensor:
    """Return the number of words of each sentence, in a graph."""
    return tf.cast(find_words(texts, spaced=True)[0].row_lengths(), tf.int32)
