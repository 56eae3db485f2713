"""Tags of words that mark entities, and how entities are stored."""

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

# Returns where places are in another version of their text, given and returned as starts and ends.
Move = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
OUTSIDE = "O"
# A tag of any scheme, as people write them: L is another letter for E, U for S.
TAG = re.compile(r"O|[BIESLU]-.+")
SCHEMES = ("BIO", "BIOES")
# The prefixes of a type's tags, by scheme. B begins and I continues an entity; in BIOES, E ends it,
# and S is an entity of one word.
_PREFIXES = {"BIO": "BI", "BIOES": "BIES"}


def names(types: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Return the names of all tags.

    >>> names(["LOC", "PER"], "BIO")
    ('O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER')
    """
    return (OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in _PREFIXES[scheme]))


def types(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the types of entities that tags name, in their order.

    >>> types(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"])
    ('LOC', 'PER')
    """
    return tuple(dict.fromkeys(tag[2:] for tag in tags if tag != OUTSIDE))


def scheme(tags: Iterable[str]) -> str:
    """Return the scheme that tags follow.

    >>> scheme(["O", "B-X", "I-X"])
    'BIO'
    """
    return "BIOES" if any(tag[0] in "ES" for tag in tags) else "BIO"


def allowed(tags: Sequence[str]) -> np.ndarray:
    """Return which tag may follow which, bool [tags + 1, tags + 1].

    The last row says which tags may be the first, the last column which may be the last. An entity
    that has begun goes on with tags of its type until it ends; in BIO it may end at any word.

    >>> allowed(["O", "B-X", "I-X"]).astype(int)
    array([[1, 1, 0, 1],
           [1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 1, 0, 0]])
    """
    must_end = any(tag[0] in "ES" for tag in tags)

    def may_follow(before: str, after: str) -> bool:
        is_open, goes_on = before[0] in "BI", after[0] in "IE"
        if goes_on:
            return is_open and before[2:] == after[2:]
        return not (must_end and is_open)

    # Before the first word and after the last one is as good as O.
    matrix = np.array([[may_follow(b, a) for a in (*tags, OUTSIDE)] for b in (*tags, OUTSIDE)])
    matrix[-1, -1] = False
    return matrix


def of_words(entities: np.ndarray, words: np.ndarray, scheme: str) -> np.ndarray:
    """Return the tag of each word of a text, as a number in the order of `names`, int64 [words].

    A word belongs to an entity if it overlaps it.

    Args:
        entities: number of the type, start and end, integer [entities, 3].
        words: start and end, integer [words, 2].
        scheme: of the tags.

    >>> words = np.array([[0, 2], [3, 7], [8, 12]])
    >>> of_words(np.array([[1, 0, 2], [0, 3, 12]]), words, "BIO")
    array([3, 1, 2])
    """
    numbers, prefixes = np.zeros(len(words), np.int64), _PREFIXES[scheme]
    for kind, start, end in entities:
        inside = np.flatnonzero((words[:, 0] < end) & (words[:, 1] > start))
        if not len(inside):
            continue
        marks = ["B", *"I" * (len(inside) - 1)]
        if scheme == "BIOES":
            marks[-1] = "S" if len(inside) == 1 else "E"
        numbers[inside] = [1 + kind * len(prefixes) + prefixes.index(mark) for mark in marks]
    return numbers


def encode(entities: Sequence[tuple[int, int, int]]) -> bytes:
    """Return entities as bytes: number of the type, start and end in characters.

    >>> decode(encode([(1, 0, 5)]))
    array([[1, 0, 5]], dtype=int32)
    """
    return np.array(entities, "<i4").tobytes()


def decode(answer: bytes | np.ndarray) -> np.ndarray:
    """Return the entities that `encode` stored, int32 [entities, 3]."""
    return np.frombuffer(bytes(answer), "<i4").reshape(-1, 3)


def moved(answer: bytes, text: str, move: Move) -> tuple[bytes, int]:
    """Return entities with their places in another version of the text, and how many are left out.

    Of entities that overlap there, the first is kept.

    Args:
        answer: as `encode` wrote it.
        text: the other version; not read.
        move: starts, ends -> starts, ends, in characters, integer [entities].
    """
    kinds, *places = decode(answer).T
    entities = np.stack([kinds, *move(*places)], axis=1)
    kept, end = [], 0
    for kind, start, stop in entities[np.argsort(entities[:, 1], kind="stable")].tolist():
        if start >= end:
            kept.append((kind, start, stop))
            end = stop
    return encode(kept), len(entities) - len(kept)
