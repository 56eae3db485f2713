"""A Keras model that finds answers to questions in contexts."""

import functools
import logging
import os
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import keras
import numpy as np

from ftkeras import problems
from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.checked_model import in_one_line, same_length
from ftkeras.api.columns import (
    columns_of,
    entries,
    is_column,
    is_missing,
    numbers_or_names,
    plain,
    shown,
)
from ftkeras.api.span_answers import BestSpans, SpanAnswers
from ftkeras.api.string_model import StringModel, encode
from ftkeras.data.questions.question import Question, locate
from ftkeras.heads.question_answering import QuestionAnswering
from ftkeras.support import bounds, plurals
from ftkeras.support.answers import encode as stored
from ftkeras.support.in_keras import share
from ftkeras.text.preprocessor import Preprocessor
from ftkeras.text.words import WORDS

log = logging.getLogger(__name__)
# What a model is called with.
COLUMNS = ("question", "context")
# The parts of an answer whose place is known.
STARTS = ("text", "answer_start")
# Questions whose tokens are looked up at once.
QUESTIONS = 256


@keras.saving.register_keras_serializable(package="ftkeras")
class QuestionAnswerer(StringModel):
    """A Keras model that takes questions with contexts and finds the answers in the contexts.

    It is used like `ftkeras.TextClassifier`, with {"question": …, "context": …}. An answer to train
    on is one of these:

    - a text that occurs exactly once in the context;
    - {"text": […], "answer_start": […]}, as in SQuAD, of which the first one is learned;
    - None, NaN or "", if the context has no answer.

    All answers may also be one dict or table of the columns "text" and "answer_start". What is
    learned are the numbers of the answer's first and last token, [questions, 2], with the
    loss "sparse_categorical_crossentropy". A `tf.data.Dataset` has to hold these numbers, which
    `targets` returns. `answers` returns the answers to questions. To start from a checkpoint, use
    `from_pretrained`.

    The part of a context that does not fit into `max_length` is not read. `ftkeras.train` cuts
    longer contexts into windows instead.

    Args:
        preprocessor: layer that turns texts into token ids, made with reads="contexts".
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into the scores of starts and ends.
        no_answer: whether a question may have no answer.
        threshold: by how much the score of no answer must exceed the best answer's to be chosen.
        longest: the maximum number of tokens of an answer.
        n_best: how many of the best answers are returned.
        activation: "softmax" to return probabilities, or "linear" to return scores.
        name: the model's name.

    Attributes:
        preprocessor, encoder, head: the layers.

    Call: a dict of two columns of strings [questions] -> float32 [questions, 2, max_length]: the
        probability of each token to be the first, and to be the last of the answer. No answer is
        token 0.

    Raises:
        ValueError: if an argument is wrong. The message names it.
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        no_answer: bool = True,
        threshold: float = 0.0,
        longest: int = 30,
        n_best: int = 20,
        activation: str = "softmax",
        name: str = "question_answerer",
    ):
        if encoder.causal:
            raise ValueError(
                "`encoder` must read the text on both sides of a token, or it can't tell where an "
                f"answer starts. Received: {encoder.name!r}, which is causal."
            )
        bounds.boolean(no_answer=no_answer)
        bounds.finite(threshold=threshold)
        spans = SpanAnswers(preprocessor.max_length, activation=activation, name="answer")
        problem: Any = problems.find("question_answering")
        search = {"threshold": threshold, "longest": longest, "n_best": n_best}
        super().__init__(
            preprocessor=preprocessor,
            encoder=encoder,
            head=head,
            reads="contexts",
            columns=COLUMNS,
            answer=lambda scores, _: spans(scores),
            name=name,
        )
        self.problem, self.activation = problem(no_answer=bool(no_answer), **search), activation
        # In a closure, because Keras would save a model that is an attribute.
        self._answerer = functools.cache(self._make_answerer)

    @classmethod
    def from_pretrained(
        cls,
        encoder: str | os.PathLike[str],
        *,
        max_length: int = 384,
        no_answer: bool = True,
        threshold: float = 0.0,
        longest: int = 30,
        n_best: int = 20,
        dropout: float = 0.0,
        activation: str = "softmax",
        seed: int | None = None,
        name: str = "question_answerer",
        **kwargs: Any,
    ) -> "QuestionAnswerer":
        """Return a model with the encoder and tokenizer of a checkpoint, and a new head.

        Args:
            encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
                `bert-base-uncased`, which is downloaded unless it is in the cache.
            max_length: the maximum number of tokens of a question with its context, including
                special tokens. A question keeps at most half of them.
            no_answer: whether a question may have no answer.
            threshold: by how much the score of no answer must exceed the best answer's to be
                chosen.
            longest: the maximum number of tokens of an answer.
            n_best: how many of the best answers are returned.
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
        reads = {"reads": "contexts", **kwargs}
        parts = cls.read(encoder, max_length=max_length, pooler=False, seed=seed, **reads)
        head = QuestionAnswering(dropout=dropout, seed=seed)
        search = {"threshold": threshold, "longest": longest, "n_best": n_best}
        settings: dict[str, Any] = {
            "no_answer": no_answer,
            "activation": activation,
            "name": name,
            **search,
        }
        return cls(**parts, head=head, **settings)

    def answerer(self) -> keras.Model:
        """Return the Keras model whose outputs are answers. It shares this model's layers.

        Its `export` writes a SavedModel that takes strings and returns the tensors `answer`,
        `start`, `end`, `score` and `null_score_diff` [questions], and those of the best answers.
        """
        return self._answerer()

    def answers(self, x: Any, batch_size: int = 32, verbose: Any = 0) -> list[dict[str, Any]]:
        """Return the answer to each question.

        Args:
            x: {"question": …, "context": …}, two lists, arrays or columns.
            batch_size: how many questions to read at once.
            verbose: 1 to show a progress bar, as in `predict`.

        Returns:
            Dicts with `answer`, None if there is none; `start` and `end`, in characters of the
            context; `score`, its probability; `n_best`, the best answers; and, with `no_answer`,
            `null_score_diff`, which is compared with the threshold.
        """
        with in_one_line():
            given, *_ = self._given(x, learns=False)
            outputs = self.answerer().predict(given, batch_size=batch_size, verbose=verbose)
        count = len(outputs["answer"])
        rows = ({name: part[n] for name, part in outputs.items()} for n in range(count))
        return [self.problem.answer(row) for row in rows]

    def get_config(self) -> dict[str, Any]:
        own = {**self.problem.search, "threshold": self.problem.threshold}
        return {**super().get_config(), **own, "activation": self.activation}

    def _make_answerer(self) -> keras.Model:
        inputs = {name: keras.Input((), dtype="string", name=name) for name in COLUMNS}
        parts = self.preprocessor, self.encoder, *inputs.values()
        features, tokens = encode(*parts, head=self.head)
        scores = self.head(features, tokens["padding_mask"])
        places = {name: tokens[name] for name in (*WORDS, "first_pieces", "window_counts")}
        found = BestSpans(self.problem, name="answers")(scores, inputs[COLUMNS[1]], places)
        return share(keras.Model(inputs, found, name=f"{self.name}_answers"), self.encoder)

    @property
    def answers_each(self) -> int:
        """The number of tokens that are learned of an answer: its first and its last one."""
        return 2

    def _answers(self, x: Any, y: Any) -> np.ndarray:
        """Return the numbers of the first and last tokens of answers."""
        given = _listed(y)
        same_length(x, given, "y")
        if all(is_column(answer) and len(answer) == 2 for answer in given):
            found = numbers_or_names(given, "y", "answers")
            if found.dtype != object:
                return found
        questions, contexts = (x[name] for name in COLUMNS)
        rows = zip(range(len(given)), questions, contexts, given, strict=True)
        known = [self._located(*row) for row in rows]
        parts = [slice(first, first + QUESTIONS) for first in range(0, len(known), QUESTIONS)]
        places = [self._places(questions[p], contexts[p], known[p]) for p in parts]
        found = np.concatenate(places).astype("int32")
        self._report(known, found)
        return found

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        last = self.preprocessor.max_length - 1
        return Numbers(
            "the numbers of the first and the last token of each answer, in this order and from 0 "
            f"to {last}",
            width=self.answers_each,
            low=0,
            high=last,
            whole=True,
            in_order=True,
            remedy="use those that `targets` returns",
        )

    def _report(self, known: Sequence[Question], places: np.ndarray) -> None:
        """Report answers that are elsewhere, and those that are not learned."""
        if moved := sum(question.moved for question in known):
            answers = plurals.counted(
                moved,
                "answer is not where its start says",
                "answers are not where their start says",
            )
            log.warning("%s; the text was found elsewhere", answers)
        count = sum(bool(question.answers) for question in known)
        if lost := count - int(places.any(axis=1).sum()):
            length = self.preprocessor.max_length
            verb = "is" if lost == 1 else "are"
            answers = plurals.counted(count, "answer", "answers")
            log.warning(
                f'{lost:,} of {answers} {verb} beyond max_length={length}: learned as "no answer"'
            )

    def _located(self, position: int, question: str, context: str, answer: Any) -> Question:
        """Return a question with the places of its answers."""
        try:
            pairs = _given(answer)
            found = locate(question, context, pairs)
        except ValueError as error:
            raise ValueError(f"`y` at position {position}: {error}.") from None
        if any(start is None for _, start in pairs):  # from which no answer can have moved
            found.moved = 0
        if not found.answers and not self.problem.no_answer:
            raise ValueError(
                "`y` must be an answer for each question, unless the model is made with "
                f"no_answer=True. Received: {shown(answer)} at position {position}."
            )
        return found

    def _places(self, questions: Any, contexts: Any, known: list[Question]) -> np.ndarray:
        """Return the numbers of the first and last tokens of answers, int64 [questions, 2]."""
        tokens = {n: part.numpy() for n, part in self.preprocessor(questions, contexts).items()}
        is_token = tokens["padding_mask"]
        starts, ends = (tokens[name][is_token] for name in WORDS)
        outputs = problems.ContextOutputs(
            logits=np.zeros((len(starts), 2), np.float32),
            starts=starts,
            ends=ends,
            lengths=is_token.sum(axis=1),
            first_pieces=tokens["first_pieces"],
            counts=tokens["window_counts"],
        )
        pairs = zip(contexts, known, strict=True)
        targets = [stored(context, question.answers) for context, question in pairs]
        return self.problem.window_targets(targets, outputs)


def _listed(y: Any) -> list[Any]:
    """Return an answer for each question, which may be in columns, as in `datasets`."""
    columns = columns_of(y)
    if columns is None or (len(columns) == 1 and not isinstance(y, Mapping)):
        return entries(y, "y", "answers")
    if not _has_starts(columns):
        raise ValueError(
            "`y` must be a list of answers, or have the columns 'text' and 'answer_start'. "
            f"Received: {', '.join(map(repr, columns))}."
        )
    texts, starts = (entries(columns[name], f"y[{name!r}]", "entries") for name in STARTS)
    if len(texts) != len(starts):
        raise ValueError(
            "`y` must have as many entries in 'text' as in 'answer_start'. "
            f"Received: {len(texts)} and {len(starts)}."
        )
    return [dict(zip(STARTS, answer, strict=True)) for answer in zip(texts, starts, strict=True)]


def _given(answer: Any) -> list[tuple[str, int | None]]:
    """Return the texts of a question's answers and where they start, if that is known."""
    answer = plain(answer)
    if is_missing(answer):
        return []
    if isinstance(answer, str):
        return [(answer, None)]
    if _has_starts(answer):
        found = [part if is_column(part) else [part] for part in (answer[n] for n in STARTS)]
        pairs = [tuple(map(plain, pair)) for pair in zip(*found, strict=False)]
        pairs = [(text, None if is_missing(start) else start) for text, start in pairs]
        are_pairs = all(isinstance(t, str) and isinstance(s, Integral | None) for t, s in pairs)
        if are_pairs and len(found[0]) == len(found[1]):
            return pairs
    elif is_column(answer) and all(
        isinstance(plain(one), str) or _has_starts(one) for one in answer
    ):
        return [pair for one in answer for pair in _given(one)]
    raise ValueError(
        "an answer must be a text, None, a list of texts, or {'text': […], 'answer_start': […]} "
        f"with as many whole numbers. Received: {shown(answer)}"
    )


def _has_starts(answer: Any) -> bool:
    return isinstance(answer, Mapping) and set(STARTS) <= set(answer)
