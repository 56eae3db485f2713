"""CoNLL files: a word and its tag on each line, a blank line after each sentence."""

import functools
import itertools
import pathlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from ftkeras.data.tables import opening
from ftkeras.data.tagged.entities import Tagged, from_tags
from ftkeras.errors import UserError
from ftkeras.support import plurals
from ftkeras.support.tags import TAG

_DOCUMENT, _COMMENT = _NO_WORDS = "-DOCSTART-", "#"
# The number of a word in its sentence; in CoNLL-U also 2-3 and 4.1.
_WORD_NUMBER = re.compile(r"[0-9]+([-.][0-9]+)?")
# The lines that show whether the first column numbers the words.
_FIRST_LINES = 1000
# A word with its line and tag.
_Word = tuple[int, str, str]


class Conll:
    """Sentences, whose words are joined by spaces.

    Columns are separated by spaces or tabs. Lines that start with -DOCSTART- are skipped, and so
    are comments: lines that start with # and do not end with a tag. In CoNLL-U and similar files,
    the first column numbers the words of each sentence, and the second has the words. Their lines
    of ranges, such as 2-3 of a word that is written as two, and of empty nodes, such as 4.1, are
    skipped: the words of a range follow it, and an empty node is not in the text.
    Sources: Tjong Kim Sang and De Meulder, 2003, https://aclanthology.org/W03-0419;
    https://universaldependencies.org/format.html.

    Args:
        paths: the files, read one after the other.
        word: number of the words' column, from 0; None for the first that does not number them.
        tag: number of the tags' column; None for the last.
        names: names for tags that are numbers, by number.
        encoding: None to detect it.

    Raises:
        UserError: a column is not a number.
    """

    layout = "CoNLL"

    def __init__(
        self,
        paths: Sequence[pathlib.Path],
        *,
        word: str | int | None,
        tag: str | int | None,
        names: Mapping[str, str] = MappingProxyType({}),
        encoding: str | None,
    ):
        self.name = str(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        self._paths, self._encoding = paths, encoding
        self._given_word = _number("text_column", word)
        given_tag = _number("label_column", tag)
        self._tag = -1 if given_tag is None else given_tag
        self.skipped: Sequence[str] = ()
        self._names, self._left_out = names, Counter[str]()

    @property
    def notes(self) -> tuple[str, ...]:
        """The layout, and the columns of words and tags."""
        is_told = self._given_word is None and self._is_numbered
        why = ", as column 0 numbers the words" if is_told else ""
        tag = "the last column" if self._tag == -1 else f"column {self._tag}"
        return (self.layout, f"words from column {self._word}{why}", f"tags from {tag}")

    def rows(self) -> Iterator[tuple[int, Tagged]]:
        """Yield the line on which each sentence starts, and the sentence."""
        self._left_out.clear()
        for path in self._paths:
            for sentence in self._sentences(path):
                line, (_, words, tags) = sentence[0][0], zip(*sentence, strict=True)
                try:
                    tagged = from_tags(words, tags)
                except ValueError as error:
                    place = f"the sentence in line {line} of {str(path)!r}"
                    raise UserError(f"`data`: {place}: {error}.") from None
                yield line, tagged
        self.skipped = tuple(
            f"{plurals.counted(count, 'line', 'lines')} {what} skipped"
            for what, count in sorted(self._left_out.items())
        )

    def is_likely(self, lines: int) -> bool:
        """Return whether the first lines are words with tags, some of which name an entity."""
        try:
            words = itertools.chain.from_iterable(self._sentences(self._paths[0]))
            tags = {tag for _, _, tag in itertools.islice(words, lines)}
        except UserError:
            return False
        return bool(tags - {"O"})

    @property
    def _word(self) -> int:
        """The number of the words' column."""
        return int(self._is_numbered) if self._given_word is None else self._given_word

    @functools.cached_property
    def _is_numbered(self) -> bool:
        """True if the first column numbers the words of each of the first sentences."""
        lines = (fields for _, fields in self._lines(self._paths[0]))
        first = itertools.islice(lines, _FIRST_LINES)
        kept = (fields for fields in first if not "".join(fields[:1]).startswith(_NO_WORDS))
        sentences = [list(group) for is_full, group in itertools.groupby(kept, bool) if is_full]
        # One word beside a 1 proves nothing.
        return max(map(len, sentences), default=0) > 1 and all(map(_numbers_words, sentences))

    def _lines(self, path: pathlib.Path) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of each line, and its fields."""
        encoding = opening.find_encoding(path, self._encoding)
        with opening.open_text(path, encoding, newline=None) as file:
            for number, line in enumerate(file, start=1):
                yield number, _columns(line)

    def _sentences(self, path: pathlib.Path) -> Iterator[list[_Word]]:
        sentence: list[_Word] = []
        for number, fields in self._lines(path):
            if fields and (what := self._what_else(fields)):
                self._left_out[what] += 1
            elif fields:
                sentence.append((number, *self._fields(path, number, fields)))
            elif sentence:
                yield sentence
                sentence = []
        if sentence:
            yield sentence

    def _what_else(self, fields: Sequence[str]) -> str | None:
        """Return the kind of a line that has no word; None if it has one."""
        first = fields[0]
        if first == _DOCUMENT:
            return _DOCUMENT
        is_numbered = self._is_numbered
        if first.startswith(_COMMENT) and (is_numbered or not TAG.fullmatch(fields[-1])):
            return "of comments"
        if is_numbered and not first.isdecimal() and _WORD_NUMBER.fullmatch(first):
            return "of ranges and empty nodes"
        return None

    def _fields(self, path: pathlib.Path, line: int, fields: Sequence[str]) -> tuple[str, str]:
        count = len(fields)
        if count < 2 or not all(-count <= number < count for number in (self._word, self._tag)):
            columns = "1 column" if count == 1 else f"{count} columns"
            raise _wrong(path, line, f"has {columns}: {' '.join(fields)[:60]!r}; a word and a tag")
        word, tag = fields[self._word], fields[self._tag]
        tag = self._names.get(tag, tag)
        if not TAG.fullmatch(tag):
            raise _wrong(path, line, f"has the tag {tag[:60]!r}; O or a tag such as B-PER")
        return word, tag


def _columns(line: str) -> list[str]:
    """Return the fields of a line. A word may have blanks if tabs separate it, as in "New York"."""
    line = line.strip(" \t\r\n")
    fields = line.split("\t") if "\t" in line else re.split(" +", line)
    return [stripped for field in fields if (stripped := field.strip(" "))]


def _numbers_words(sentence: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of three or more columns counts the words of a sentence."""
    names = [fields[0] for fields in sentence]
    if not all(map(_WORD_NUMBER.fullmatch, names)) or min(map(len, sentence)) < 3:
        return False
    numbers = [int(name) for name in names if name.isdecimal()]
    return any(numbers == [*range(start, start + len(numbers))] for start in (0, 1))


def _wrong(path: pathlib.Path, line: int, what: str) -> UserError:
    return UserError(f"`data`: line {line} of {str(path)!r} {what} is needed.")


def _number(argument: str, column: str | int | None) -> int | None:
    if column is None:
        return None
    try:
        return int(column)
    except ValueError:
        raise UserError(
            f"`{argument}` must be the number of a column, from 0; CoNLL files have no column "
            f"names. Received: {column!r}."
        ) from None
