"""CoNLL files: a word and its tag on each line, a blank line after each sentence."""

import itertools
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from ftkeras.data.tables import opening
from ftkeras.data.tagged.entities import TAG, Tagged, from_tags
from ftkeras.errors import UserError

_DOCUMENT = "-DOCSTART-"
# A word with its line and tag.
_Word = tuple[int, str, str]


class Conll:
    """Sentences, whose words are joined by spaces.

    Columns are separated by spaces or tabs. Lines that start with -DOCSTART- are skipped, and so
    are comments: lines that start with # and do not end with a tag.
    Source: Tjong Kim Sang and De Meulder, 2003, https://aclanthology.org/W03-0419.

    Args:
        paths: the files, read one after the other.
        word: number of the words' column, from 0; None for the first.
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
        self._word = _number("text_column", word, 0)
        self._tag = _number("label_column", tag, -1)
        self.skipped: Sequence[str] = ()
        self._names, self._documents = names, 0

    def rows(self) -> Iterator[tuple[int, Tagged]]:
        """Yield the line on which each sentence starts, and the sentence."""
        self._documents = 0
        for path in self._paths:
            for sentence in self._sentences(path):
                line, (_, words, tags) = sentence[0][0], zip(*sentence, strict=True)
                try:
                    tagged = from_tags(words, tags)
                except ValueError as error:
                    place = f"the sentence in line {line} of {str(path)!r}"
                    raise UserError(f"`data`: {place}: {error}.") from None
                yield line, tagged
        n = self._documents
        lines = "1 line" if n == 1 else f"{n:,} lines"
        self.skipped = (f"{lines} {_DOCUMENT} skipped",) if n else ()

    def is_likely(self, lines: int) -> bool:
        """Return whether the first lines are words with tags, some of which name an entity."""
        try:
            words = itertools.chain.from_iterable(self._sentences(self._paths[0]))
            tags = {tag for _, _, tag in itertools.islice(words, lines)}
        except UserError:
            return False
        return bool(tags - {"O"})

    def _sentences(self, path: pathlib.Path) -> Iterator[list[_Word]]:
        encoding = opening.find_encoding(path, self._encoding)
        sentence: list[_Word] = []
        with opening.open_text(path, encoding, newline=None) as file:
            for number, line in enumerate(file, start=1):
                fields = _columns(line)
                if fields and fields[0] == _DOCUMENT:
                    self._documents += 1
                elif fields and not _is_comment(fields):
                    sentence.append((number, *self._fields(path, number, fields)))
                elif sentence and not fields:
                    yield sentence
                    sentence = []
        if sentence:
            yield sentence

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


def _is_comment(fields: Sequence[str]) -> bool:
    return fields[0].startswith("#") and not TAG.fullmatch(fields[-1])


def _wrong(path: pathlib.Path, line: int, what: str) -> UserError:
    return UserError(f"`data`: line {line} of {str(path)!r} {what} is needed.")


def _number(argument: str, column: str | int | None, default: int) -> int:
    if column is None:
        return default
    try:
        return int(column)
    except ValueError:
        raise UserError(
            f"`{argument}` must be the number of a column, from 0; CoNLL files name none. "
            f"Received: {column!r}."
        ) from None
