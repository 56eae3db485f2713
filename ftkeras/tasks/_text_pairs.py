"""Pairs of texts in the user's own files: which columns hold the texts, and which their score."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from ftkeras.data.tables import inference
from ftkeras.data.tables.inference import Chosen, Roles
from ftkeras.data.tables.profile import Column, Profile
from ftkeras.errors import UserError
from ftkeras.tasks._own_files import OwnFiles

# Names of columns of texts that form a pair, besides those of pairs in general.
_PAIRS = (
    *inference.PAIR_NAMES,
    *(("anchor", "positive"), ("query", "positive"), ("query", "passage"), ("query", "document")),
    *(("question", "answer"), ("query", "answer"), ("title", "body")),
)
# Names of a column of scores, besides those of labels in general.
_SCORES = (*inference.LABEL_NAMES, "similarity", "similarity_score", "relatedness_score", "sim")
# Names of a column that numbers the rows.
_ROW_NUMBERS = ("id", "idx", "index", "qid", "pair_id", "pairid")
# Columns whose values have this many words on average may hold texts.
_WORDS = 2.0


class PairColumns(NamedTuple):
    """The columns of pairs.

    Attributes:
        first: of the first text.
        second: of the second text.
        score: None if there is none.
    """

    first: Column
    second: Column
    score: Column | None


class TextPairs(OwnFiles):
    """Pairs of texts from the user's own files, each text of which the model turns into a vector.

    Attributes:
        has_scores: whether each pair has a score.

    Args:
        known_labels: the name of the answer of a run that is evaluated, which is always the same.
        **settings: of `OwnFiles`.
    """

    labels = ("cosine",)
    has_scores = True

    def __init__(self, *, known_labels: Sequence[str] | None, **settings: Any):
        super().__init__(**settings)
        self._is_evaluated = known_labels is not None

    @property
    def pairs(self) -> bool:
        """True."""
        return True

    @functools.cached_property
    def _pair_columns(self) -> PairColumns:
        return find_pair_columns(self._sample, self._chosen, scores=self.has_scores)

    @functools.cached_property
    def _roles(self) -> Roles:
        first, second, score = self._pair_columns
        notes = [f"texts from {first.name!r} and {second.name!r}"]
        if score is not None:
            notes.append(f"score from {score.name!r}")
        position = -1 if score is None else score.position
        return Roles((first.position,), second.position, position, tuple(notes))


def find_pair_columns(profile: Profile, chosen: Chosen, *, scores: bool) -> PairColumns:
    """Return the columns that the user chose; what is left open is inferred.

    Args:
        profile: of the file.
        chosen: what the user chose.
        scores: whether to look for a column of scores.

    Raises:
        UserError: if a chosen column is missing, or what is left open is ambiguous.
    """

    def named(name: str | int, argument: str) -> Column:
        return inference.find_column(profile, name, argument)

    text = [named(name, "text_column") for name in chosen.text or ()]
    pair = [] if chosen.pair is None else [named(chosen.pair, "pair_column")]
    score = None if chosen.label is None else named(chosen.label, "label_column")
    if scores and score is None:
        score = _find_score(profile, [*text, *pair])
    texts = [*text, *pair]
    if not (text and pair):
        free = [c for c in profile.columns if c != score and c.numbers < c.values and not c.lists]
        texts = _find_texts(free, text, pair)
    if len(texts) != 2:
        names = ", ".join(repr(column.name) for column in profile.columns)
        raise UserError(
            f"`text_column` and `pair_column`: name the two columns of {profile.name!r} that hold "
            f"texts; its columns are {names}."
        )
    first, second = texts
    return PairColumns(first, second, score)


def _find_score(profile: Profile, texts: Sequence[Column]) -> Column | None:
    """Return the column of numbers that is named like a score, or else the only one of numbers.

    Numbers of the rows are no scores. A column of numbers may have other values as well, which are
    refused when they are read.
    """
    numbers = [c for c in profile.columns if c not in texts and 2 * c.numbers > c.values]
    scores = [c for c in numbers if c.name.lower() in _SCORES]
    scores = scores or [c for c in numbers if not _counts_rows(c)]
    if len(scores) > 1:
        names = " or ".join(repr(column.name) for column in scores)
        raise UserError(
            f"`label_column`: the scores of {profile.name!r} may be in column {names}; say which."
        )
    return scores[0] if scores else None


def _counts_rows(column: Column) -> bool:
    """Return whether a column numbers the rows, by its name or as each value follows the last."""
    if column.name.lower() in _ROW_NUMBERS:
        return True
    if column.integers < column.values or set(column.counts.values()) != {1}:
        return False
    first, *rest = (int(float(text)) for text in column.counts)
    return rest == list(range(first + 1, first + 1 + len(rest)))


def _find_texts(
    free: Sequence[Column], text: Sequence[Column], pair: Sequence[Column]
) -> list[Column]:
    """Return the columns of the first and the second text; other than two if they aren't clear.

    Args:
        free: the columns that may hold texts.
        text: the column of the first text, if the user chose it.
        pair: the same of the second.
    """
    by_name = {column.name.lower(): column for column in free}
    for names in _PAIRS:
        both = [by_name[name] for name in names if name in by_name]
        if len(both) == 2 and both[0] in (text or both) and both[1] in (pair or both):
            return both
    rest = [c for c in free if c not in (*text, *pair) and c.mean_words >= _WORDS]
    return [*text, *rest, *pair]
