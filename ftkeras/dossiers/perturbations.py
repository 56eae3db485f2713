"""Changes of texts that do not change what they say, or not much."""

import re
from collections.abc import Callable, Mapping

import numpy as np

WORD = re.compile(r"\w{4,}")
PUNCTUATION = re.compile(r"[^\w\s]")
# Of words, how many get a typing error; between words, how many places get a meaningless word.
TYPOS, NOISE = 0.1, 0.1
CONSONANTS, VOWELS = "bcdfghjklmnpqrstvwz", "aeiou"
FILLER = " and so on"
Change = Callable[[str, np.random.Generator], str]


def typos(text: str, rng: np.random.Generator) -> str:
    """Swap two neighbouring letters in a tenth of the words of four letters or more, at least one.

    >>> typos("wonderful", np.random.default_rng(0))
    'wondreful'
    """
    words = list(WORD.finditer(text))
    if not words:
        return text
    chosen = rng.random(len(words)) < TYPOS
    chosen[rng.integers(len(words))] = True
    letters = list(text)
    for word in (word for word, is_chosen in zip(words, chosen, strict=True) if is_chosen):
        at = int(rng.integers(word.start() + 1, word.end() - 1))
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def lower_case(text: str, rng: np.random.Generator) -> str:
    """Write all letters in lower case."""
    return text.lower()


def upper_case(text: str, rng: np.random.Generator) -> str:
    """Write all letters in upper case."""
    return text.upper()


def no_punctuation(text: str, rng: np.random.Generator) -> str:
    """Leave out everything but letters, digits, underscores and white space.

    >>> no_punctuation("Good, isn't it?", np.random.default_rng(0))
    'Good isnt it'
    """
    return PUNCTUATION.sub("", text)


def inserted_words(text: str, rng: np.random.Generator) -> str:
    """Insert meaningless words at a tenth of the places between words, at least one."""
    words = text.split(" ")
    chosen = rng.random(len(words)) < NOISE
    chosen[rng.integers(len(words))] = True
    longer = []
    for word, is_chosen in zip(words, chosen, strict=True):
        longer += [word, _syllables(rng)] if is_chosen else [word]
    return " ".join(longer)


def very_long(text: str, rng: np.random.Generator) -> str:
    """Append 2,000 words that say nothing, so that the model does not read the end."""
    return text + FILLER * 667


_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|must|do|does|did|has|have|had)"
    r"( ?n[o'’]t)?(?![\w'’])",
    re.IGNORECASE,
)
_IRREGULAR = re.compile(r"\b(wo|ca)( ?n['’]t)\b|\b(can)(not)\b", re.IGNORECASE)
_WHOLE = {"wo": "will", "ca": "can"}
# Without a negation, these are often no auxiliaries.
_NEGATED_ONLY = ("do", "does", "did", "has", "have", "had")


def negation(text: str) -> str:
    """Negate what is stated and state what is negated, where an auxiliary verb shows how.

    >>> negation("It is good, and the plot isn't bad. I can't wait, though I did not laugh.")
    'It is not good, and the plot is bad. I can wait, though I did laugh.'
    """
    plain = _IRREGULAR.sub(lambda m: f"{_WHOLE.get((m[1] or m[3]).lower(), 'can')} not", text)
    return _AUXILIARY.sub(_negated, plain)


def _negated(match: re.Match[str]) -> str:
    if match[2]:
        return match[1]
    return match[1] if match[1].lower() in _NEGATED_ONLY else f"{match[1]} not"


# By the names that the dossier uses.
CHANGES: Mapping[str, Change] = {
    change.__name__: change
    for change in (typos, lower_case, upper_case, no_punctuation, inserted_words, very_long)
}


def _syllables(rng: np.random.Generator) -> str:
    pairs = [(rng.integers(len(CONSONANTS)), rng.integers(len(VOWELS))) for _ in range(3)]
    return "".join(CONSONANTS[c] + VOWELS[v] for c, v in pairs)
