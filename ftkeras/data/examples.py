"""The tokenized examples of a split, from which batches are made."""

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.data.vectors import Vectors
from ftkeras.data.windows import ExampleRows, Windows
from ftkeras.problems import ContextOutputs
from ftkeras.support.ragged import Ragged


@dataclass(frozen=True)
class Examples:
    """Some of the texts of a token store, as a view: selecting examples copies no tokens.

    Attributes:
        token_ids: int32 [total], the ids of all stored texts, one after the other.
        offsets: int64 [texts + 1], where each stored text starts in `token_ids`.
        second_starts: int32 [texts], where the second segment of a text starts, counted from the
            start of the text; its length if it has no second segment.
        stored_targets: the answer to each stored text, [texts, …]; bytes, uint8, if the answers
            differ in size.
        stored_digests: uint64 [texts], a hash of each raw text.
        rows: int64 [examples], the stored texts that this view selects.
        name: the name of the split.
        pairs: whether each example is a pair of texts.
        source: the name of the dataset that the texts were read from. It may hold more texts.
        vectors: the encoder's output for each stored text, if it was computed beforehand.
        word_starts, word_ends: int32 [total], the word of which each token is the first, in
            characters of its text; -1 of other tokens. Of questions with contexts: where each token
            of the context is in it. None if the problem asks for neither.
        token_targets: integer [total], the answer that the model is to give for each token; below 0
            if there is none. None if it answers texts.
        windows: the rows that the model reads, if a text may have several; the tokens of a text
            are then those of all its windows, of which one has each word. None if each text is one
            row.
        teacher: what a teacher answers to the stored texts, or to each token or window if the
            model answers those; None if there is none.
        several: the rows that the model reads, if each example has several in one batch; its tokens
            are then those of all rows. None if it has one.
    """

    token_ids: np.ndarray
    offsets: np.ndarray
    second_starts: np.ndarray
    stored_targets: np.ndarray | Ragged
    stored_digests: np.ndarray
    rows: np.ndarray
    name: str
    pairs: bool
    source: str = ""
    vectors: Vectors | None = None
    word_starts: np.ndarray | None = None
    word_ends: np.ndarray | None = None
    token_targets: np.ndarray | None = None
    windows: Windows | None = None
    teacher: TeacherAnswers | None = None
    several: ExampleRows | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, positions: np.ndarray, name: str | None = None) -> "Examples":
        """Return a view of the examples at these positions.

        Args:
            positions: integer or boolean, what NumPy accepts as an index of `examples`. A position
                may occur several times.
            name: the name of the new view; None to keep this one's.
        """
        return replace(self, rows=self.rows[positions], name=name or self.name)

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each example, int64 [examples]."""
        return self.offsets[self.rows + 1] - self.offsets[self.rows]

    @functools.cached_property
    def row_lengths(self) -> np.ndarray:
        """The number of tokens of each example's longest row, int64 [examples]."""
        return self.lengths if self.several is None else self.several.longest()[self.rows]

    @functools.cached_property
    def row_counts(self) -> np.ndarray:
        """The number of rows that the model reads of each example, int64 [examples]."""
        if self.several is not None:
            return self.several.counts()[self.rows]
        return np.ones(len(self), int) if self.windows is None else self.windows.counts[self.rows]

    @functools.cached_property
    def longest(self) -> int:
        """The number of tokens of the longest example."""
        return int(self.lengths.max())

    @property
    def targets(self) -> Any:
        """The answer to each example, as its problem stores it, [examples, …]."""
        return self.stored_targets[self.rows]

    @functools.cached_property
    def firsts(self) -> np.ndarray:
        """The position of each example's first token in `token_ids`, int64 [examples]."""
        return self.offsets[self.rows]

    def token_numbers(self) -> np.ndarray:
        """Return the positions of the examples' tokens in `token_ids`, int64 [tokens]."""
        lengths = self.lengths
        before = np.cumsum(lengths) - lengths
        return np.repeat(self.firsts - before, lengths) + np.arange(lengths.sum())

    def words(self) -> Ragged:
        """Return the words that the model answers, (start, end), int32 [examples, (words), 2]."""
        assert self.word_starts is not None
        assert self.word_ends is not None
        numbers = self.token_numbers()
        spans = np.stack([self.word_starts[numbers], self.word_ends[numbers]], axis=1)
        is_word = spans[:, 0] >= 0
        text = np.repeat(np.arange(len(self)), self.lengths)
        return Ragged.from_lengths(spans[is_word], np.bincount(text[is_word], minlength=len(self)))

    def by_row(self) -> "Examples":
        """Return a view whose examples are the rows that the model reads, with their targets."""
        if self.windows is None:
            return self
        windows, targets, teacher = self.windows, self.windows.targets, self.teacher
        if teacher is not None and self.token_targets is None and not teacher.of_places:
            teacher = teacher.of_rows(windows.texts)
        return replace(
            self,
            offsets=windows.offsets,
            second_starts=windows.second_starts,
            stored_targets=self.stored_targets[windows.texts] if targets is None else targets,
            stored_digests=self.stored_digests[windows.texts],
            rows=windows.numbers(self.rows),
            teacher=teacher,
            windows=None,
        )

    @functools.cached_property
    def separate_rows(self) -> "Examples":
        """A view whose examples are all stored rows of examples, without their targets."""
        assert self.several is not None
        rows = np.arange(len(self.several.second_starts))
        parts = {"offsets": self.several.offsets, "second_starts": self.several.second_starts}
        return replace(self, **parts, rows=rows, several=None)

    def row_weights(self, weights: np.ndarray | None = None) -> np.ndarray | None:
        """Return the weight of each row of `by_row` in the loss, float32 [rows]; None if all are 1.

        The rows of an example share its weight; the mean weight of all rows is that of all
        examples. Words need no weights: each is in one row only.

        Args:
            weights: of the examples, float32 [examples]; None if all are 1.
        """
        if self.windows is None or self.token_targets is not None:
            return weights
        counts = self.windows.counts[self.rows]
        if weights is None and counts.sum() == len(self):
            return None
        shares = (1 if weights is None else weights) / counts
        return (np.repeat(shares, counts) * (counts.sum() / len(self))).astype(np.float32)

    def context_outputs(self, logits: np.ndarray) -> ContextOutputs:
        """Return a model's outputs for the tokens of all examples, [tokens, …], by window."""
        assert self.windows is not None
        assert self.word_starts is not None
        assert self.word_ends is not None
        numbers, windows = self.token_numbers(), self.windows.numbers(self.rows)
        return ContextOutputs(
            logits=logits,
            starts=self.word_starts[numbers],
            ends=self.word_ends[numbers],
            lengths=np.diff(self.windows.offsets)[windows],
            first_pieces=self.windows.first_pieces[windows],
            counts=self.windows.counts[self.rows],
        )

    @property
    def digests(self) -> np.ndarray:
        """The hash of each example's raw text, uint64 [examples]."""
        return self.stored_digests[self.rows]

    def ids(self, position: int) -> np.ndarray:
        """Return the token ids of one example, int32 [length]."""
        row = self.rows[position]
        return self.token_ids[self.offsets[row] : self.offsets[row + 1]]
