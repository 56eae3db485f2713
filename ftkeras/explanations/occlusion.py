"""Occlusion: what the evidence for an answer loses if a word is left out of the text."""

import functools
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ftkeras.explanations.explanation import Explanation, decoded

METHOD = "occlusion"
Texts = Mapping[str, str]
Outputs = Mapping[str, Any]


def explain(
    texts: Texts,
    answer: Callable[[Sequence[Texts]], Sequence[Outputs]],
    evidence: Callable[[Outputs, int], float],
    chosen: Mapping[str, int],
) -> list[Explanation]:
    """Explain the answer to one text, or pair of texts, by leaving out one word at a time.

    The contribution of a word is f(text) - f(text without the word), f the evidence. The gap is
    what they do not add up to: f(text) - f(text without any word) - their sum. It takes one more
    answer for each word, and no gradients.
    Source: Zeiler and Fergus, 2014, https://arxiv.org/abs/1311.2901; for texts: Li, Monroe and
    Jurafsky, 2016, https://arxiv.org/abs/1612.08220.

    Args:
        texts: "text", and for pairs "pair".
        answer: texts -> the outputs of each.
        evidence: outputs and the number of one of them -> f.
        chosen: the outputs to explain: their numbers by name.

    Returns:
        An explanation of each of them.

    >>> lengths = lambda rows: [{"values": [len(row["text"])]} for row in rows]
    >>> own = lambda row, number: row["values"][number]
    >>> (explanation,) = explain({"text": "a bad film"}, lengths, own, {"length": 0})
    >>> explanation["tokens"], explanation["attributions"], explanation["gap"]
    (['a', 'bad', 'film'], [1, 3, 4], 0)
    """
    words = [(name, word) for name in texts for word in _word().finditer(texts[name])]
    without = [_without(texts, [word]) for word in words]
    own, empty, *others = answer([texts, _without(texts, words), *without])
    return [
        _explanation(texts, words, own, empty, others, evidence, name, number)
        for name, number in chosen.items()
    ]


@functools.cache
def _word() -> re.Pattern:
    r"""Return the pattern of words, and of signs one by one, each with its marks.

    `\w` has neither the vowel signs of Indic scripts nor accents behind their letter, nor joiners.
    """
    points = map(chr, range(sys.maxunicode + 1))
    marks = "".join(c for c in points if unicodedata.category(c).startswith("M"))
    part = rf"\w[\w{marks}\u200c\u200d]*"
    return re.compile(rf"{part}(?:['’]{part})*|[^\w\s][{marks}]*")


def _explanation(
    texts: Texts,
    words: Sequence[tuple[str, re.Match]],
    own: Outputs,
    empty: Outputs,
    others: Sequence[Outputs],
    evidence: Callable[[Outputs, int], float],
    name: str,
    number: int,
) -> Explanation:
    full = evidence(own, number)
    attributions = [full - evidence(other, number) for other in others]
    return Explanation(
        {column: decoded(value) for column, value in {**own, **texts}.items()},
        explained=name,
        method=METHOD,
        tokens=[word[0] for _, word in words],
        attributions=attributions,
        gap=full - evidence(empty, number) - sum(attributions),
    )


def _without(texts: Texts, words: Sequence[tuple[str, re.Match]]) -> dict[str, str]:
    """Return the texts without these words, which are in their order."""
    shorter = dict(texts)
    for name, word in reversed(words):
        shorter[name] = shorter[name][: word.start()] + shorter[name][word.end() :]
    return shorter
