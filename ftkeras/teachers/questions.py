"""Questions to a teacher: about each text of a student, or each of its words or tokens."""

from dataclasses import dataclass, replace

import numpy as np

from ftkeras.data import pieces
from ftkeras.data.examples import Examples


@dataclass(frozen=True)
class Questions:
    """The texts that a student is trained on, each once.

    Attributes:
        texts: these texts, a view of the student's token store.
        index: int64 [stored], the number of the answer that is due for each stored text; for each
            token, if the answers are to words; or for the first token of each window, if they are
            to the tokens of contexts. Below 0 if there is none.
        owners: int64 [answers], the position in `texts` of each answer's text.
        spans: int32 [answers, 2], where each word starts and ends in its text, or each token in its
            context, below 0 outside it; None if the answers are to texts.
        lengths: int64 [windows], the tokens of each window, if the answers are to those; or None.
    """

    texts: Examples
    index: np.ndarray
    owners: np.ndarray
    spans: np.ndarray | None = None
    lengths: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.owners)

    @property
    def of_places(self) -> bool:
        """True if a window has an answer for each of its tokens."""
        return self.lengths is not None

    def identity(self) -> bytes:
        """Return bytes that determine the answers of a teacher."""
        spans = b"" if self.spans is None else self.spans.astype("<i4").tobytes()
        lengths = b"" if self.lengths is None else self.lengths.astype("<i8").tobytes()
        owners = self.owners.astype("<i8").tobytes()
        return self.texts.digests.astype("<u8").tobytes() + owners + spans + lengths

    def find(self, owners: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Return the number of the answer that is due for each of a teacher's words.

        Args:
            owners: integer [words], the position in `texts` of each word's text.
            spans: integer [words, 2], where it starts and ends in its text.

        Returns:
            int64 [words]; below 0 for a word that the student does not read.
        """
        assert self.spans is not None
        known = _keys(self.owners, self.spans)
        order = np.argsort(known)
        place = np.searchsorted(known, keys := _keys(owners, spans), sorter=order)
        positions = np.append(order, -1)[place]
        return np.where(np.append(known, -1)[positions] == keys, positions, -1)


def _keys(owners: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Return an integer for each word: its text, its start and its length, which is below 2^16."""
    starts, lengths = spans[:, 0].astype(np.int64), np.minimum(spans[:, 1] - spans[:, 0], 0xFFFF)
    return (owners.astype(np.int64) << 40) + (starts << 16) + lengths


def ask(examples: Examples) -> Questions:
    """Return the questions to a teacher about examples."""
    once = replace(examples, rows=np.unique(examples.rows))
    if once.word_starts is None:
        index = np.full(len(once.stored_targets), -1)
        index[once.rows] = np.arange(len(once))
        return Questions(once, index, np.arange(len(once)))
    numbers, owners = once.token_numbers(), np.repeat(np.arange(len(once)), once.lengths)
    if once.token_targets is None:
        return _of_tokens(once, numbers, owners)
    starts = once.word_starts[numbers]
    is_word = starts >= 0
    index = np.full(len(once.token_ids), -1)
    index[numbers] = pieces.spread(np.arange(is_word.sum()), starts, owners)
    words = once.words()
    return Questions(once, index, owners[is_word], words.values)


def _of_tokens(once: Examples, numbers: np.ndarray, owners: np.ndarray) -> Questions:
    """Return questions about all tokens of the windows of contexts."""
    assert once.windows is not None
    assert once.word_starts is not None
    assert once.word_ends is not None
    windows = once.windows.numbers(once.rows)
    lengths = np.diff(once.windows.offsets)[windows]
    index = np.full(len(once.windows.texts), -1)
    index[windows] = np.cumsum(lengths) - lengths
    spans = np.stack([once.word_starts[numbers], once.word_ends[numbers]], axis=1)
    return Questions(once, index, owners, spans, lengths)
