"""Give tokens the answers of their words."""

import numpy as np

from ftkeras.text.words import CONTINUES


def spread(answers: np.ndarray, word_starts: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Return the answer of the word that each token begins or continues, below 0 if there is none.

    Args:
        answers: of the words, in the order of the tokens that begin them, integer [words].
        word_starts: as `ftkeras.text.words.word_spans` returns them, integer [tokens].
        texts: the number of the text that each token belongs to, integer [tokens].

    Returns:
        int32 [tokens]. A token that continues a word gets its answer in whichever window the word
        begins, and none if the word's first token was cut off.

    >>> spread(np.array([7, 8]), np.array([-1, 0, -2, 5, -7, -1]), np.zeros(6, int))
    array([-1,  7,  7,  8,  8, -1], dtype=int32)
    """
    is_first = word_starts >= 0
    # A word is known by its text and its start.
    start = np.where(is_first, word_starts, CONTINUES - word_starts)
    keys = (texts.astype(np.int64) << 32) + start
    order = np.argsort(keys[is_first])
    known = np.append(keys[is_first][order], np.iinfo(np.int64).max)
    place = np.searchsorted(known, keys)
    spread_answers = np.append(answers[order], -1)[place]
    return np.where(known[place] == keys, spread_answers, -1).astype(np.int32)
