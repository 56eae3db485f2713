"""Replace words of a text by counterparts: pronouns, names, spellings, words of a dialect."""

import functools
import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FOLDER = pathlib.Path(__file__).parent
# "her" and "his" are replaced by the row of what they stand for: before a word that may belong to
# someone they are possessive, otherwise "her" is an object and "his" stands alone.
_GENDERED = {
    "possessive": ("her", "his"),
    "object": ("her", "him"),
    "alone": ("hers", "his"),
}
_NOT_OWNED = frozenset(
    (
        *("a", "about", "after", "all", "and", "are", "as", "at", "be", "because", "before", "but"),
        *("by", "for", "from", "had", "has", "have", "if", "in", "into", "is", "it", "like", "my"),
        *("no", "not", "of", "off", "on", "or", "out", "over", "so", "than", "that", "the", "then"),
        *("they", "this", "to", "too", "until", "up", "was", "we", "were", "what", "when", "where"),
        *("which", "while", "who", "why", "with", "without", "would", "you", "your"),
    )
)
_NEXT_WORD = re.compile(r"\s+([A-Za-z]+)")


@dataclass(frozen=True)
class Dimension:
    """Words that are exchanged for each other.

    Attributes:
        name: of the dimension.
        versions: the names of the columns.
        rows: counterparts, one for each version.
        source: what describes the words; "" if they need no source.
    """

    name: str
    versions: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    source: str = ""

    def version(self, text: str, number: int) -> str:
        """Return a text in which every word of the dimension is that of one version.

        Upper case and capitals at the start stay as they are.

        Args:
            text: the text.
            number: of the version.

        >>> gender = dimensions()["gender"]
        >>> gender.version("He told her that his plan was hers.", 0)
        'She told her that her plan was hers.'
        >>> gender.version("She told Emily of her plan, and asked her.", 1)
        'He told James of his plan, and asked him.'
        """
        return self._pattern.sub(lambda match: self._counterpart(text, match, number), text)

    @functools.cached_property
    def _known(self) -> Mapping[str, tuple[str, ...]]:
        """The row of each word, by the word in lower case; the first one if there are several."""
        return {word.lower(): row for row in reversed(self.rows) for word in row}

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = {word for row in self.rows for word in row}
        if self.name == "gender":
            words |= {word for row in _GENDERED.values() for word in row}
        longest_first = sorted(words, key=lambda word: (-len(word), word))
        return re.compile(
            "|".join(
                rf"(?<![\w'’])(?:{'|'.join(map(_pattern_of, _cases(word)))})(?![\w])"
                for word in longest_first
            )
        )

    def _counterpart(self, text: str, match: re.Match[str], number: int) -> str:
        word = match[0].replace("’", "'")
        role = _role(word.lower(), text, match.end()) if self.name == "gender" else None
        row = self._known[word.lower()] if role is None else _GENDERED[role]
        new = row[number]
        if "’" in match[0]:
            new = new.replace("'", "’")
        if len(word) > 1 and word.isupper():
            return new.upper()
        return _first_upper(new) if word[0].isupper() else new


def dimensions(file: str = "substitutions.yaml") -> dict[str, Dimension]:
    """Return the dimensions that a file of this package has, by name.

    Args:
        file: substitutions.yaml, words about people; or synonyms.yaml.
    """
    import yaml

    content: dict[str, Any] = yaml.safe_load((_FOLDER / file).read_text(encoding="utf-8"))
    return {
        name: Dimension(
            name,
            tuple(one["versions"]),
            tuple(map(tuple, one["rows"])),
            one.get("source", "").strip(),
        )
        for name, one in content.items()
    }


def _role(word: str, text: str, end: int) -> str | None:
    """Return the role of "her", "his", "him" or "hers" in a text; None for another word."""
    if word in ("him", "hers"):
        return {"him": "object", "hers": "alone"}[word]
    if word not in ("her", "his"):
        return None
    following = _NEXT_WORD.match(text, end)
    if following and following[1].lower() not in _NOT_OWNED:
        return "possessive"
    return "object" if word == "her" else "alone"


def _cases(word: str) -> tuple[str, ...]:
    return word, _first_upper(word), word.upper()


def _pattern_of(word: str) -> str:
    """Return a pattern of a word, whose apostrophes may be typographic ones."""
    return re.escape(word).replace("'", "['’]")


def _first_upper(word: str) -> str:
    return word[:1].upper() + word[1:]
