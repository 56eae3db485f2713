"""Read the input of `predict`: texts, lines, or the rows of a table."""

import contextlib
import functools
import pathlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.config.predict import PredictConfig
from ftkeras.data.questions.reading import is_squad_file
from ftkeras.data.questions.squad import Squad
from ftkeras.data.tables import inference, opening, options, reading
from ftkeras.data.tables.profile import profile
from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.table import Row, Table
from ftkeras.data.tables.texts import joined
from ftkeras.errors import UserError
from ftkeras.prediction import lines

STANDARD_INPUT = "-"
_HERE = pathlib.Path(".")


@dataclass(frozen=True)
class Item:
    """A text to answer, its second text if the model takes pairs, and the row it is from."""

    text: str
    pair: str | None
    row: Row

    @property
    def shown(self) -> str:
        """The text, or both texts with a tab between."""
        return "\t".join(self.texts.values())

    @property
    def texts(self) -> dict[str, str]:
        """The text as "text" and, if there is one, the second text as "pair"."""
        return {"text": self.text, **({} if self.pair is None else {"pair": self.pair})}


@dataclass(frozen=True)
class Inputs:
    """All that is to be answered.

    Attributes:
        columns: the names of the values of each item's row.
        items: in the order of the input, read while they are iterated over.
        notes: what was detected and which columns are read, a phrase each; none of plain lines.
        schema: the Arrow schema of the rows if the input has one.
        count: returns the number of items after reading the input once more, and raises UserError
            for what is wrong with any of them; None if it can be read only once.
    """

    columns: tuple[str, ...]
    items: Iterator[Item]
    notes: tuple[str, ...] = ()
    schema: Any = None
    count: Callable[[], int] | None = None


def open_inputs(
    config: PredictConfig,
    recorded: Mapping[str, Any],
    *,
    takes_pairs: bool,
    takes_options: bool = False,
    takes_contexts: bool = False,
) -> Inputs:
    """Return the inputs that `config` names, after checking that they exist and have the columns.

    Args:
        config: the configuration of `predict`.
        recorded: the columns that hold "text" and "pair" in the data of the model's run; empty if
            they are not known.
        takes_pairs: whether the model takes pairs.
        takes_options: whether the second text of a pair is several options, with tabs between.
        takes_contexts: whether it is the context of a question, so that files in SQuAD's layout
            can be read.

    Raises:
        UserError: if the input can't be read, or has no such columns.
    """
    split = functools.partial(_split, takes_pairs=takes_pairs, takes_options=takes_options)
    if config.text:
        return _plain(_given(config, split), takes_pairs)
    if config.input in (None, STANDARD_INPUT):
        return _plain(map(split, lines.of_stream(sys.stdin.buffer, "standard input")), takes_pairs)
    paths = _find(str(config.input))
    if not (config.describes_a_table or any(map(_is_table, paths))):
        return _open_files_of_lines(paths, split, takes_pairs, config.encoding)
    with _naming_input():
        if takes_contexts and all(is_squad_file(path, config.encoding) for path in paths):
            return _open_squad(paths, config.encoding)
        return _open_table(config, recorded, takes_pairs, takes_options)


def files_read(name: str | None) -> list[pathlib.Path]:
    """Return the files that an input or a pattern stands for; none of standard input.

    Raises:
        UserError: if there is no such file.
    """
    if name in (None, STANDARD_INPUT):
        return []
    return opening.files_by_split({"input": str(name)}, _HERE)["input"]


@contextlib.contextmanager
def named(argument: str, name: str) -> Iterator[None]:
    """Name another argument than `input` in the errors of `open_inputs` and of its items.

    Args:
        argument: what the input is called.
        name: its value.
    """
    try:
        yield
    except UserError as error:
        message = str(error).replace("`input`", f"`{argument}`").replace(f"input={name}", "it")
        raise UserError(f"{argument}={name}: {message}") from error


@contextlib.contextmanager
def _naming_input() -> Iterator[None]:
    """Name the argument of `predict` in errors about a table, which is `data` elsewhere."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace("`data`", "`input`")) from error


def _find(name: str) -> list[pathlib.Path]:
    try:
        paths = opening.find_files(name, _HERE)
        for path in paths:
            if path.is_file():
                open(path, "rb").close()
    except OSError as error:
        raise UserError(f"input={name} can't be read: {error.strerror}.") from None
    except UserError:
        raise UserError(f"input={name} can't be read: there is no such file.") from None
    return paths


def _is_table(path: pathlib.Path) -> bool:
    return path.is_dir() or opening.suffix(path) in reading.SUFFIXES


def _plain(
    items: Iterator[Item], takes_pairs: bool, count: Callable[[], int] | None = None
) -> Inputs:
    return Inputs(("text", "pair") if takes_pairs else ("text",), items, count=count)


def _open_files_of_lines(
    paths: Sequence[pathlib.Path],
    split: Callable[[str], Item],
    takes_pairs: bool,
    encoding: str | None,
) -> Inputs:
    with _naming_input():
        encodings = [lines.find_encoding(path, encoding) for path in paths]

    def items() -> Iterator[Item]:
        for path, found in zip(paths, encodings, strict=True):
            yield from map(split, lines.of_file(path, found))

    can_be_read_again = all(path.is_file() for path in paths)
    return _plain(
        items(), takes_pairs, functools.partial(_count, items) if can_be_read_again else None
    )


def _count(items: Callable[[], Iterator[Item]]) -> int:
    return sum(1 for _ in items())


def _open_squad(paths: Sequence[pathlib.Path], encoding: str | None) -> Inputs:
    """Return the questions of files in SQuAD's layout, with their ids; answers are not read."""
    squad = Squad(paths, encoding=encoding)

    def items() -> Iterator[Item]:
        with _naming_input():
            for name, question, context in squad.unanswered():
                yield Item(question, context, (name, question, context))

    count = functools.partial(_count, items)
    return Inputs(("id", "question", "context"), items(), (squad.layout,), count=count)


def _given(config: PredictConfig, split: Callable[[str], Item]) -> Iterator[Item]:
    if not config.pair:
        return map(split, config.text)
    both = zip(config.text, config.pair, strict=True)
    return (Item(text, pair, (text, pair)) for text, pair in both)


def _split(text: str, *, takes_pairs: bool, takes_options: bool) -> Item:
    """Return the item of a text; for a model of pairs, a tab is between the two texts."""
    first, *others = text.split("\t")
    if not takes_pairs:
        return Item(text, None, (text,))
    if len(others) == 1 or (takes_options and others):
        second = "\t".join(others)
        return Item(first, second, (first, second))
    if takes_options:
        raise UserError(
            "`model` takes questions with options: write a question and its options per line, with "
            f"tabs between, or give the options with `pair`. Received: {text!r}."
        )
    raise UserError(
        "`model` takes pairs: write two texts per line with one tab between, or give the second "
        f"with `pair`. Received: {text!r}."
    )


def _open_table(
    config: PredictConfig, recorded: Mapping[str, Any], takes_pairs: bool, takes_options: bool
) -> Inputs:
    chosen = [] if config.text_column is None else config.text_column.split(",")
    wanted = [name.strip() for name in chosen] or list(recorded.get("text", ()))
    second = config.pair_column or recorded.get("pair")
    several = [] if second is None else [second]
    if takes_options:
        several = second.split(",") if isinstance(second, str) else list(second or ())
        several = [name.strip() for name in several]
    expected = [*wanted, *several]
    options = Options(
        encoding=config.encoding,
        delimiter=config.delimiter,
        header=config.header,
        expected=tuple(name for name in map(str, expected) if not name.isdecimal()),
    )
    table = reading.open_data(str(config.input), _HERE, options)
    if takes_options:
        return _with_options(table, wanted, several)
    text, pair = _find_columns(table, wanted, second, is_given=bool(chosen))
    if takes_pairs and pair is None:
        raise UserError(f"`pair_column`: name the column of {table.name!r} with the second text.")
    if pair is not None and not takes_pairs:
        raise UserError(
            "the model takes single texts, not pairs; `text_column` may name several columns, "
            "which are joined."
        )
    names = " and ".join(repr(table.columns[position]) for position in text)
    notes = [*table.notes, f"text from {names}"]
    if pair is not None:
        notes.append(f"second text from {table.columns[pair]!r}")
    items = functools.partial(_rows, table, text, pair)
    count = functools.partial(_count, items)
    return Inputs(table.columns, items(), tuple(notes), table.schema, count)


def _with_options(table: Table, wanted: Sequence[str], several: Sequence[str]) -> Inputs:
    """Return the questions in a table, with their options in several columns, or in one as lists.

    Args:
        table: the table.
        wanted: the columns of the question.
        several: those of the options.
    """
    if not wanted or not several:
        missing = "`text_column`: the question" if several else "`pair_column`: the options"
        raise UserError(f"{missing} of a model of options must be named for {table.name!r}.")
    text = tuple(_position(table, name, "text_column") for name in wanted)
    columns = [_position(table, name, "pair_column") for name in several]

    def items() -> Iterator[Item]:
        with _naming_input():
            for line, row in table.rows():
                second = "\t".join(_options_of(table, line, row, columns, several))
                yield Item(joined(table, line, row, text), second, row)

    question, listed = (" and ".join(map(repr, names)) for names in (wanted, several))
    notes = (*table.notes, f"question from {question}", f"options from {listed}")
    return Inputs(table.columns, items(), notes, table.schema, functools.partial(_count, items))


def _options_of(
    table: Table, line: int, row: Row, columns: Sequence[int], names: Sequence[str]
) -> list[str]:
    """Return the options of the question in a row, without line breaks."""
    try:
        listed = options.read([row[position] for position in columns], names)
    except ValueError as error:
        raise UserError(f"`data`: line {line} of {table.name!r}: {error}.") from None
    return [" ".join(option.split()) for option in listed.texts]


def _find_columns(
    table: Table, wanted: Sequence[str | int], second: str | int | None, *, is_given: bool
) -> tuple[tuple[int, ...], int | None]:
    """Return the positions of the text and of the second text."""
    if len(table.columns) == 1 and not is_given and second is None:
        return (0,), None
    if not wanted:
        text, pair = inference.infer_texts(profile(table))
    else:
        text, pair = tuple(_position(table, name, "text_column") for name in wanted), None
    if second is not None:
        pair = _position(table, second, "pair_column")
    return text, pair


def _position(table: Table, name: str | int, argument: str) -> int:
    return inference.find_position(table.name, table.columns, name, argument)


def _rows(table: Table, text: tuple[int, ...], pair: int | None) -> Iterator[Item]:
    with _naming_input():
        for line, row in table.rows():
            second = None if pair is None else joined(table, line, row, (pair,))
            yield Item(joined(table, line, row, text), second, row)
