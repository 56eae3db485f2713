"""Decide which columns are the text and the label, and what is asked of a text.

What the user says wins. What the user leaves open is inferred from the columns' names and values,
and reported. If two columns would do equally well, nothing is guessed: the error names both and the
argument that decides.
"""

import dataclasses
import re
from collections.abc import Sequence

from ftkeras.data.tables import label_lists
from ftkeras.data.tables.profile import Column, Profile
from ftkeras.data.tables.table import Table
from ftkeras.errors import UserError
from ftkeras.support.nearest import nearest
from ftkeras.support.tags import OUTSIDE, TAG

TEXT_NAMES = (
    *("text", "sentence", "review", "content", "body", "document", "comment", "tweet", "message"),
    *("utterance", "query", "post", "article", "title", "headline", "description", "abstract"),
)
LABEL_NAMES = (
    *("label", "labels", "class", "category", "target", "sentiment", "stars", "rating", "topic"),
    *("intent", "emotion", "score", "tag", "y", "quality", "polarity"),
)
# Columns of numbers that describe another column, even if few values repeat.
NEVER_LABELS = ("answer_start", "answer_starts", "start_char", "end_char", "start", "end", "offset")
PAIR_NAMES = (
    *(("sentence1", "sentence2"), ("premise", "hypothesis"), ("question1", "question2")),
    *(("text", "pair"), ("text1", "text2"), ("text_a", "text_b"), ("question", "sentence")),
)
# A column whose values have this many words on average holds texts.
_WORDS_OF_A_TEXT = 3.0
# Numbers with more distinct values than this are scores, not classes.
_MOST_INTEGER_CLASSES = 50
# So many columns of 0 and 1 are a label each.
_FEWEST_INDICATORS = 3
# With a comma, a number with a decimal comma, or two labels with a comma between them.
_DIGITS = re.compile(r"[+-]?\d+(,\d+)?")
# Words with more distinct values than this share of the rows are no classes.
_MOST_DISTINCT_SHARE = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chosen:
    """The columns that the user chose, by name or by position from 0; None to infer."""

    text: tuple[str | int, ...] | None = None
    pair: str | int | None = None
    label: str | int | None = None


@dataclasses.dataclass(frozen=True)
class Roles:
    """The roles of a table's columns.

    Attributes:
        text: positions of the columns that make up the text, joined in this order.
        pair: position of the second text, or None.
        label: position of the label.
        notes: what was inferred, a phrase each.
    """

    text: tuple[int, ...]
    pair: int | None
    label: int
    notes: tuple[str, ...] = ()


def chosen_roles(table: Table, chosen: Chosen) -> Roles:
    """Return the roles if the user chose both text and label, without reading the rows.

    Raises:
        UserError: if a chosen column is missing or occurs twice.
    """

    def position(name: str | int, argument: str) -> int:
        return find_position(table.name, table.columns, name, argument)

    assert chosen.label is not None, "the user chose it"
    text = tuple(position(name, "text_column") for name in chosen.text or ())
    pair = None if chosen.pair is None else position(chosen.pair, "pair_column")
    return Roles(text, pair, position(chosen.label, "label_column"))


def infer_roles(profile: Profile, chosen: Chosen) -> Roles:
    """Return the roles of columns; those that were not chosen are inferred.

    Raises:
        UserError: if a chosen column is missing or occurs twice, or the roles are ambiguous.
    """
    notes: list[str] = []
    text = [find_column(profile, name, "text_column") for name in chosen.text or ()]
    pair = None if chosen.pair is None else find_column(profile, chosen.pair, "pair_column")
    label = None if chosen.label is None else find_column(profile, chosen.label, "label_column")
    taken = [*text, *(c for c in (pair, label) if c is not None)]
    if label is None:
        label = _find_label(profile, taken)
        notes.append(f"label from column {_shown(label)}")
    _refuse_tags(label)
    if not text:
        text, inferred = _find_texts(profile, [label, *([pair] if pair else [])])
        if pair is None and inferred is not None:
            pair = inferred
        joined = " and ".join(map(_shown, text))
        notes.append(f"text from column {joined}" if len(text) == 1 else f"text from {joined}")
        if pair is not None and chosen.pair is None:
            notes.append(f"second text from column {_shown(pair)}")
    position = None if pair is None else pair.position
    return Roles(tuple(c.position for c in text), position, label.position, tuple(notes))


def infer_texts(profile: Profile) -> tuple[tuple[int, ...], int | None]:
    """Return the positions of the text, and of a second text if there is one, without a label.

    Raises:
        UserError: if they are ambiguous.
    """
    labels = [column for column in profile.columns if column.name.lower() in LABEL_NAMES]
    text, pair = _find_texts(profile, labels)
    return tuple(column.position for column in text), None if pair is None else pair.position


def find_column(profile: Profile, name: str | int, argument: str) -> Column:
    """Return the column of a name or a position; see `find_position`."""
    names = [column.name for column in profile.columns]
    return profile.columns[find_position(profile.name, names, name, argument)]


def find_position(table: str, columns: Sequence[str], name: str | int, argument: str) -> int:
    """Return the position of a column, given by name or position from 0.

    A text of digits is a position unless a column has that name.

    Raises:
        UserError: if there is no such column, or two of that name.
    """
    positions = [position for position, column in enumerate(columns) if column == name]
    if len(positions) > 1:
        raise UserError(
            f"`{argument}`: {table!r} has {len(positions)} columns named {name!r}; select one by "
            f"its number, {' or '.join(map(str, positions))} (from 0)."
        )
    if positions:
        return positions[0]
    if str(name).isdigit() and int(name) < len(columns):
        return int(name)
    close = nearest(str(name), columns)
    hint = f"; did you mean {close!r}?" if close is not None else "."
    raise UserError(
        f"`{argument}`: {table!r} has no column {name!r}{hint} Its columns are: "
        f"{', '.join(map(repr, columns))}."
    )


def find_indicators(profile: Profile, chosen: Chosen) -> tuple[Column, ...]:
    """Return the columns of 0 and 1 that are a label each; empty unless there are three or more.

    They are taken for labels only if the user chose no label, and no other column may be one. Of
    two, one may be the label and the other something else.
    """
    if chosen.label is not None:
        return ()
    taken = [*(chosen.text or ()), *([] if chosen.pair is None else [chosen.pair])]
    used = [find_column(profile, name, "text_column").position for name in taken]
    free = [column for column in profile.columns if column.position not in used]
    if any(column.name.lower() in LABEL_NAMES for column in free):
        return ()
    indicators = tuple(column for column in free if label_lists.holds_indicators(column))
    others = [c for c in free if c not in indicators and c.values and _holds_classes(c)]
    return indicators if len(indicators) >= _FEWEST_INDICATORS and not others else ()


def find_problem(label: Column, *, named: bool = False, classes: bool = False) -> str:
    """Return the problem that the values of a label column pose.

    Args:
        label: the column.
        named: whether the user has named it.
        classes: whether the user has named the classes, so that no value is meant as a number.

    Raises:
        UserError: if they are neither classes, numbers nor lists, or are tags of words, or may be
            numbers or lists.
    """
    _refuse_tags(label)
    if not classes:
        _refuse_decimal_commas(label)
    if label_lists.holds_lists(label) or label_lists.joining(label.counts):
        return "multi_label"
    only_integers = label.integers == label.values
    few = label.distinct <= _MOST_INTEGER_CLASSES
    if label.numbers == label.values and not (only_integers and few):
        return "regression"
    if label.values and label.distinct > max(2, _MOST_DISTINCT_SHARE * label.values):
        remedy = "name the column of the labels"
        if named:
            remedy = "write numbers as 3.5, or list the classes in `label_names`"
        raise UserError(
            f"`label_column`: column {_shown(label)} has {_count(label)} different values in "
            f"{label.values:,} rows, too many to be classes; {remedy}. Received: {_example(label)}."
        )
    return "classification"


def _refuse_decimal_commas(label: Column) -> None:
    """Raise UserError if all values are digits, some with a comma, which may mean two things.

    Spreadsheets write 3 beside 3,5.
    """
    found = [_DIGITS.fullmatch(value) for value in label.counts]
    example = next((match[0] for match in found if match and match[1]), None)
    if example is not None and all(found):
        raise UserError(
            f"`label_column`: the values of column {_shown(label)} may be numbers with a decimal "
            "comma, or labels joined by a comma. For numbers, write a decimal point and set "
            "task=regression; for labels, set label_separator=','. "
            f"Received: {example!r:.60}."
        )


def _refuse_tags(label: Column) -> None:
    """Raise UserError if a column has the tag of one word in each row, as no text has."""
    if OUTSIDE in label.counts and label.distinct > 1 and all(map(TAG.fullmatch, label.counts)):
        raise UserError(
            f"`label_column`: column {_shown(label)} has the tag of one word in each row. To find "
            "entities, write a word and its tag per line, with a blank line after each sentence "
            "(CoNLL); or each sentence as lists in JSON, `tokens` and `ner_tags`."
        )


def _find_label(profile: Profile, taken: Sequence[Column]) -> Column:
    free = [c for c in profile.columns if c not in taken and c.values]
    named = [c for name in LABEL_NAMES for c in free if c.name.lower() == name]
    _refuse_duplicates(profile, named, "label_column")
    if named:
        return named[0]
    candidates = [c for c in free if c.name.lower() not in NEVER_LABELS and _holds_classes(c)]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise UserError(
            f"`label_column`: in {profile.name!r} the labels may be in column "
            f"{' or '.join(map(_shown, candidates))}; say which."
        )
    pairs = " Without labels, task=positive_pairs learns which texts belong together."
    raise UserError(
        f"`label_column`: no column of {profile.name!r} looks like labels, with few values that "
        f"repeat; its columns are: {', '.join(map(_shown, profile.columns))}. Name one."
        f"{pairs if sum(map(_holds_texts, free)) == 2 else ''}"
    )


def _find_texts(profile: Profile, taken: Sequence[Column]) -> tuple[list[Column], Column | None]:
    """Return the columns that make up the text, and that of the second text if there is one."""
    free = [c for c in profile.columns if c not in taken and c.values and not c.lists]
    by_name = {c.name.lower(): c for c in free}
    for first, second in PAIR_NAMES:
        if first in by_name and second in by_name:
            return [by_name[first]], by_name[second]
    texts = [c for c in free if _holds_texts(c)]
    if len(texts) == 2 and _differ_in_a_counter(texts[0].name, texts[1].name):
        return [texts[0]], texts[1]
    named = [c for c in free if c.name.lower() in TEXT_NAMES]
    _refuse_duplicates(profile, named, "text_column")
    if len(named) == 1:
        return named, None
    if texts:
        return [c for c in texts if not named or c in named], None
    if named or len(words := [c for c in free if c.numbers < c.values]) == 0:
        raise UserError(
            f"`text_column`: no column of {profile.name!r} looks like text; its columns are: "
            f"{', '.join(map(_shown, profile.columns))}. Name one or several."
        )
    if len(words) == 1:
        return words, None
    raise UserError(
        f"`text_column`: in {profile.name!r} the text may be in column "
        f"{' or '.join(map(_shown, words))}; name one or several."
    )


def _refuse_duplicates(profile: Profile, columns: Sequence[Column], argument: str) -> None:
    for column in columns:
        find_column(profile, column.name, argument)


def _holds_classes(column: Column) -> bool:
    if column.lists:
        return column.lists == column.values
    repeated = column.distinct <= _MOST_DISTINCT_SHARE * column.values
    return column.distinct >= 2 and repeated and column.mean_words < _WORDS_OF_A_TEXT


def _holds_texts(column: Column) -> bool:
    return column.mean_words >= _WORDS_OF_A_TEXT and column.numbers < column.values


def _differ_in_a_counter(first: str, second: str) -> bool:
    """Return whether two names differ only in a number, as `#1 String` and `#2 String` do."""
    bare = [re.sub(r"\d+", "", name) for name in (first, second)]
    return first != second and bare[0] == bare[1] and bare[0] != ""


def _count(column: Column) -> str:
    return f"{len(column.counts):,}" + (" or more" if column.overflowed else "")


def _example(column: Column) -> str:
    """Return a value of a column, for a message."""
    return f"{next(iter(column.counts))!r:.60}"


def _shown(column: Column) -> str:
    return column.name if column.name == str(column.position) else repr(column.name)
