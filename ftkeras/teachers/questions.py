"""Questions to a teacher: about each text of a student, or each of its words."""

from dataclasses import dataclass, replace

import numpy as np

from ftkeras.data import pieces
from ftkeras.data.examples import Examples


@dataclass(frozen=True)
class Questions:
    """The texts that a student is trained on, each once.

    Attributes:
        texts: these texts, a view of the student's token store.
        index: int64 [stored], the number of the answer that is due for each stored text; or for
            each token, if the answers are to words. Below 0 if there is none.
        owners: int64 [answers], the position in `texts` of each answer's text.
        spans: int32 [answers, 2], where each word starts and ends in its text; None if the answers
            are to texts.
    """

    texts: Examples
    index: np.ndarray
    owners: np.ndarray
    spans: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.owners)

    def identity(self) -> bytes:
        """Return what the answers depend on beside the teacher."""
        spans = b"" if self.spans is None else self.spans.astype("<i4").tobytes()
        owners = self.owners.astype("<i8").tobytes()
        return self.texts.digests.astype("<u8").tobytes() + owners + spans

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
    """Return what a teacher is to answer about examples."""
    once = replace(examples, rows=np.unique(examples.rows))
    if once.token_targets is None:
        index = np.full(len(once.stored_targets), -1)
        index[once.rows] = np.arange(len(once))
        return Questions(once, index, np.arange(len(once)))
    assert once.word_starts is not None
    numbers, owners = once.token_numbers(), np.repeat(np.arange(len(once)), once.lengths)
    starts = once.word_starts[numbers]
    is_word = starts >= 0
    index = np.full(len(once.token_ids), -1)
    index[numbers] = pieces.spread(np.arange(is_word.sum()), starts, owners)
    words = once.words()
    return Questions(once, index, owners[is_word], words.values)
