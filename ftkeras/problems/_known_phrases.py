"""The baseline of entity recognition: phrases that were entities in training."""

import re
from collections import Counter
from collections.abc import Sequence

from ftkeras.problems._baselines import WORD

Span = tuple[str, int, int]
_WORD = re.compile(WORD)


class KnownPhrases:
    """Finds the phrases of training, each with the type that it had most often.

    The longest phrase wins, from left to right. A phrase of one word counts only if it was an
    entity at least as often as not.

    Source: the baseline of the CoNLL-2003 shared task, Tjong Kim Sang and De Meulder, 2003,
    https://aclanthology.org/W03-0419.

    Args:
        texts: of training.
        entities: of each text: type, start and end in characters.
    """

    def __init__(self, texts: Sequence[str], entities: Sequence[Sequence[Span]]):
        types: dict[tuple[str, ...], Counter[str]] = {}
        seen = Counter(match[0] for text in texts for match in _WORD.finditer(text))
        for text, own in zip(texts, entities, strict=True):
            for kind, start, end in own:
                phrase = tuple(_WORD.findall(text[start:end]))
                types.setdefault(phrase, Counter())[kind] += 1
        self._types: dict[tuple[str, ...], str] = {
            phrase: counts.most_common(1)[0][0]
            for phrase, counts in types.items()
            if len(phrase) > 1 or (phrase and 2 * counts.total() >= seen[phrase[0]])
        }
        self._longest = max(map(len, self._types), default=0)

    def find(self, text: str) -> set[Span]:
        """Return the entities of a text.

        >>> KnownPhrases(["In New York"], [[("LOC", 3, 11)]]).find("New York, New")
        {('LOC', 0, 8)}
        """
        words = list(_WORD.finditer(text))
        spans, at = set(), 0
        while at < len(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                kind = self._types.get(tuple(w[0] for w in words[at : at + length]))
                if kind is not None:
                    spans.add((kind, words[at].start(), words[at + length - 1].end()))
                    at += length - 1
                    break
            at += 1
        return spans
