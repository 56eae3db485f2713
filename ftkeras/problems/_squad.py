"""The official rules by which answers to SQuAD's questions are scored.

Source: Rajpurkar et al., 2016 and 2018; evaluate-v2.0.py,
https://rajpurkar.github.io/SQuAD-explorer.
"""

import collections
import re
import string
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


def normalize(text: str) -> str:
    """Return a text in lower case, without punctuation, articles and superfluous spaces.

    >>> normalize("The  Answer's an  (old) one.")
    'answers old one'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def f1(wanted: Sequence[str], words: Sequence[str]) -> float:
    """Return the F1 of the words of two answers; without words, whether both have none.

    >>> f1(["red", "car"], ["car"])
    0.6666666666666666
    """
    if not wanted or not words:
        return float(wanted == words)
    common = sum((collections.Counter(wanted) & collections.Counter(words)).values())
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def score(truth: Sequence[str], answer: str) -> tuple[float, float]:
    """Return exact match and F1 of an answer, of the true answer that it fits best.

    Args:
        truth: the true answers; none if there is no answer. Those that are empty once normalized
            do not count.
        answer: the answer; "" for none.

    >>> score(["Paris", "in Paris"], "the Paris")
    (1.0, 1.0)
    >>> score([], "")
    (1.0, 1.0)
    """
    words = normalize(answer).split()
    wanted = [other for text in truth if (other := normalize(text).split())] or [[]]
    return float(words in wanted), max(f1(other, words) for other in wanted)


class Threshold(NamedTuple):
    """A threshold on `null_score_diff`, above which there is no answer, and what it gives."""

    score: float
    value: float


def best_threshold(answered: np.ndarray, empty: np.ndarray, null: np.ndarray) -> Threshold:
    """Return the threshold with the largest mean score.

    Questions with the same `null` are all answered or none of them.

    Args:
        answered: the score of the best answer that is not empty, [questions].
        empty: the score of no answer. It may be 1 though there is an answer, as "The" is empty once
            normalized; the official script counts 0 then, and can miss the best threshold.
        null: how much more likely no answer is than the answer found, [questions].

    >>> best_threshold(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([-3.0, 2.0]))
    Threshold(score=1.0, value=-3.0)
    """
    order = np.argsort(null, kind="stable")
    gains = np.subtract(answered, empty, dtype=float)[order]
    # Questions up to the threshold are answered, and the others are not.
    sums = np.concatenate([[0.0], np.cumsum(gains)]) + empty.sum()
    is_between = np.concatenate([[True], np.diff(null[order]) > 0, [True]])
    best = int(np.argmax(np.where(is_between, sums, -np.inf)))
    value = null[order[best - 1]] if best else null[order[0]] - 1.0
    return Threshold(float(sums[best] / len(null)), float(value))
