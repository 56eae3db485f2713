"""Positive pairs: texts that belong together in the user's own files."""

import hashlib
from collections.abc import Sequence

from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.table import Row, Table
from ftkeras.data.tables.texts import encode, joined
from ftkeras.problems import positive_pairs as problem
from ftkeras.tasks._own_files import Column
from ftkeras.tasks._text_pairs import TextPairs


class PositivePairs(TextPairs):
    """Embed texts so that each text is nearer to its partner than to other texts.

    Files may have the formats of `classification`, with two columns of texts, such as questions and
    answers. Other columns are not read. For pairs with scores, use `similarity`.

    Args:
        train: a file, folder or glob pattern with the examples to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the first text, by name, or by number counted from 0.
        pair: the column of the second text.
        header: whether the first row names the columns.
        delimiter: the character between the fields of a text file.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the names of the outputs of the run, when a run is evaluated.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = problem.PositivePairs
    has_scores = False

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Column | None = None,
        pair: Column | None = None,
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            text=text,
            answer=(),
            pair=pair,
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
            known_labels=known_labels,
        )

    @property
    def columns(self) -> dict[str, object]:
        """The columns of `train` that hold both texts."""
        return {name: value for name, value in super().columns.items() if name != "label"}

    @property
    def _answer_positions(self) -> tuple[int, ...]:
        """The position of the second text, of which the answer is a number."""
        assert self._roles.pair is not None
        return (self._roles.pair,)

    def _answer(self, table: Table, line: int, values: Row) -> int:
        """Return a number of the second text, by which ranks know a text that occurs again."""
        text = encode(joined(table, line, values, (0,)))
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)
