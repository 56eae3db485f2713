"""Tables from each code point to the code points that replace it in a normalized text.

tf.strings.lower, RE2's classes and ICU's normalization would not do: each follows the Unicode
version (and ICU the locale) of its own library, and the reference follows yet another version.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ftkeras.text import _characters

PAGE = 256
NOTHING = -1
WALL = 1  # a removed mark that ends canonical reordering; U+0001 itself is removed before
SELF = 0x110000  # the character itself
# With `keep_marks`, a removed mark of combining class c > 0 is the unit _MARK - c.
_MARK = -1
_SPACE = ord(" ")


class Spellings(NamedTuple):
    """The replacements of all code points, in two levels to save memory.

    The replacement of a code point is `units[rows[pages[point // PAGE] * PAGE + point % PAGE]]`.

    Attributes:
        pages: int32 [code points / PAGE].
        rows: int32 [distinct pages * PAGE].
        units: int32 [distinct replacements, width]: code points, SELF, WALL, NOTHING or, with
            `keep_marks`, numbers below NOTHING for removed marks.
        classes: int32, the canonical combining classes of `units`.
        first_movable: the first row of `units` with a class that is not 0; so have all that follow.
    """

    pages: np.ndarray
    rows: np.ndarray
    units: np.ndarray
    classes: np.ndarray
    first_movable: int


@functools.cache
def spellings(
    lowercase: bool,
    strip_accents: bool,
    split_chinese: bool,
    keep_marks: bool = False,
    split_punctuation: bool = True,
) -> Spellings:
    """Return the tables for one setting of the reference's BertNormalizer with clean_text on.

    Args:
        lowercase: whether to lower-case the text.
        strip_accents: whether to decompose the text (NFD) and remove non-spacing marks.
        split_chinese: whether each CJK ideograph is a word.
        keep_marks: whether a removed mark leaves a unit below NOTHING, which takes part in
            canonical reordering. Offsets need it; words do not.
        split_punctuation: whether to put spaces around punctuation, as the reference's
            BertPreTokenizer splits there.
    """
    classes = _combining_classes() if strip_accents else {}
    marks = _mark_units() if keep_marks and strip_accents else {}
    punctuation = frozenset(points_of(_characters.PUNCTUATION) if split_punctuation else ())
    spelled = _spelled(lowercase, strip_accents, split_chinese, marks, punctuation)
    spelled |= {p: (p,) for p in classes}
    classes |= {mark: _MARK - mark for mark in set(marks.values())}
    return to_tables(spelled, classes)


def to_tables(spelled: Mapping[int, tuple], classes: Mapping[int, int]) -> Spellings:
    """Return the tables.

    Args:
        spelled: the units of each code point that is not replaced by itself.
        classes: the canonical combining class of each unit, if it is not 0.
    """
    distinct = sorted(set(spelled.values()), key=lambda units: any(u in classes for u in units))
    distinct.insert(0, (SELF,))  # row 0, for every code point that has no other replacement
    number = {units: row for row, units in enumerate(distinct)}
    rows = np.zeros(0x110000, np.int32)
    rows[list(spelled)] = [number[units] for units in spelled.values()]
    pages, page = np.unique(rows.reshape(-1, PAGE), axis=0, return_inverse=True)
    width = max(map(len, distinct))
    units = np.array([u + (NOTHING,) * (width - len(u)) for u in distinct], np.int32)
    orders = np.array([[classes.get(unit, 0) for unit in row] for row in units.tolist()], np.int32)
    first_movable = len(distinct) - int(orders.any(axis=1).sum())
    page = page.reshape(-1).astype(np.int32)
    return Spellings(page, pages.reshape(-1), units, orders, first_movable)


def _spelled(
    lowercase: bool,
    strip_accents: bool,
    split_chinese: bool,
    marks: dict[int, int],
    punctuation: frozenset[int],
) -> dict[int, tuple]:
    """Return the units of each code point that is not replaced by itself.

    `marks` has the units of the removed marks; a mark that it lacks has none.
    """
    steps = {point: (point,) for point in punctuation}
    if strip_accents:
        steps |= _decompositions()
    lower = lower_case() if lowercase else {}
    steps |= {point: steps.get(point, (point,)) for point in lower}
    dropped = dict.fromkeys(points_of(_characters.MARKS), ())
    dropped |= {point: (unit,) for point, unit in marks.items()}
    dropped |= dict.fromkeys(points_of(_characters.WALLS), (WALL,))
    dropped = dropped if strip_accents else {}
    spelled = {}
    for point, decomposed in (dropped | steps).items():
        units = [u for d in decomposed for u in dropped.get(d, lower.get(d, (d,)))]
        spaced = [(_SPACE, u, _SPACE) if u in punctuation else (u,) for u in units]
        spelled[point] = tuple(u for group in spaced for u in group)
    if split_chinese:
        for point in points_of(_characters.CHINESE):
            spelled[point] = (_SPACE, *spelled.get(point, (SELF,)), _SPACE)
    spelled |= dict.fromkeys(points_of(_characters.SPACES), (_SPACE,))
    return spelled | dict.fromkeys(points_of(_characters.REMOVED), ())


def points_of(table: str) -> Iterator[int]:
    """Yield the code points of a table such as "9-d 20"."""
    for item in table.split():
        first, _, last = item.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def pairs(table: str) -> dict[int, tuple]:
    """Return the code points that replace others, of a table such as "130>69,307"."""
    items = (item.split(">") for item in table.split())
    return {int(point, 16): tuple(int(u, 16) for u in units.split(",")) for point, units in items}


def lower_case() -> dict[int, tuple]:
    """Return the lower case of each code point that has one."""
    lower = pairs(_characters.LOWER_LONG)
    for item in _characters.LOWER.split():
        match = re.fullmatch(r"(\w+?)(?:-(\w+))?(?:/(\d))?([+-]\w+)", item)
        assert match is not None, "every item of the table has this form"
        first, last, step, distance = match.groups()
        for point in range(int(first, 16), int(last or first, 16) + 1, int(step or 1)):
            lower[point] = (point + int(distance, 16),)
    return lower


def _decompositions() -> dict[int, tuple]:
    # ucd_3_2_0 is Unicode 3.2 in every Python version; the table has what came later.
    nfd = functools.partial(unicodedata.ucd_3_2_0.normalize, "NFD")
    every = (p for p in range(0xC0, 0x30000) if not 0xD800 <= p <= 0xDFFF)
    changed = ((point, nfd(chr(point))) for point in every)
    decomposed = {point: tuple(map(ord, text)) for point, text in changed if text != chr(point)}
    return decomposed | pairs(_characters.DECOMPOSED)


def _mark_units() -> dict[int, int]:
    """Return the unit of each removed mark; classes are the same in all Unicode versions."""
    return {p: _MARK - unicodedata.combining(chr(p)) for p in points_of(_characters.MARKS)}


def _combining_classes() -> dict[int, int]:
    classes, current = {}, 0
    for item in _characters.CLASSES.split():
        if item.endswith(":"):
            current = int(item[:-1])
        else:
            classes |= dict.fromkeys(points_of(item), current)
    return classes
