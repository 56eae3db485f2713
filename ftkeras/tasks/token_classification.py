"""Entities in texts from the user's own files."""

import functools
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

import tensorflow as tf

from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables.reading import Options
from ftkeras.data.tagged.reading import TaggedFile, open_tagged
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.problems import token_classification as problem
from ftkeras.support import bounds, plurals, tags
from ftkeras.support.cached_methods import cached_method
from ftkeras.tasks._file_task import FileTask
from ftkeras.tasks._own_files import given_labels

Column = str | int


class _Counts(NamedTuple):
    """The content of a file of tagged texts.

    Attributes:
        types: of the entities.
        repaired: tags I- that begin an entity.
        moved: spans that were not where the data said.
        skipped: what was skipped, a phrase each.
    """

    types: Set[str]
    repaired: int
    moved: int
    skipped: tuple[str, ...]


class TokenClassification(FileTask):
    """Find entities, such as names, in the texts of your own files.

    Files may be CoNLL, with one word and its tag per line; or JSON, Parquet or Arrow with words and
    tags (`tokens` and `ner_tags`), or with texts and character spans, as Doccano, Prodigy and Label
    Studio export them. Tags may follow BIO, IOB1, BIOES or BILOU. An I- tag that begins an entity
    is read as B-, as in seqeval.

    Args:
        train: a file or glob pattern with the examples to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the words or the text; for CoNLL files its number, by default 0, or 1 if
            column 0 numbers the words.
        label: the column of the tags or the spans; for CoNLL files its number, by default the last.
        labels: names for tags that are numbers: {'0': 'O', '1': 'B-PER'}, or all names in the order
            of their numbers, 'O,B-PER,I-PER' or a tuple.
        scheme: the scheme of the tags that the model predicts: BIO or BIOES.
        pieces: which tokens of a word learn its tag: "first" or "all". The answer always comes from
            the first token.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the tags of the run, when a run is evaluated.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = problem.TokenClassification

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Column | None = None,
        label: Column | None = None,
        labels: str | Sequence[str] | Mapping[str, str] | None = None,
        scheme: str = "BIO",
        pieces: str = "first",
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        bounds.choice(tags.SCHEMES, scheme=scheme)
        bounds.choice(problem.PIECES, pieces=pieces)
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            options=Options(encoding=encoding),
            data_dir=data_dir,
        )
        self._tags = _tag_names(labels)
        self._text, self._label, self._scheme = text, label, scheme
        self._pieces = pieces
        self._known_labels = known_labels

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """The tags, O first; reads `train` once."""
        if self._known_labels is not None:
            return tuple(self._known_labels)
        if not self._counts.types:
            skipped = "".join(f"; {phrase}" for phrase in self._counts.skipped)
            raise UserError(f"`data`: {self._file('train').name!r} has no entity{skipped}.")
        return tags.names(sorted(self._counts.types), self._scheme)

    def problem(self, labels: Sequence[str] | None = None) -> Problem:
        return self.problem_class(labels=labels or self.labels, pieces=self._pieces)

    @property
    def notes(self) -> tuple[str, ...]:
        """The layout of `train`, and what was skipped, moved and repaired, a phrase each."""
        counts = self._counts
        notes = [*self._file("train").notes, *counts.skipped]
        if counts.moved:
            were = plurals.counted(counts.moved, "span was", "spans were")
            notes.append(f"{were} not at the given characters, and moved to where the text occurs")
        if counts.repaired:
            tags_i = plurals.counted(counts.repaired, "tag I- that begins", "tags I- that begin")
            notes.append(f"{tags_i} an entity, read as B-")
        return tuple(notes)

    @property
    def columns(self) -> Mapping[str, object]:
        """The columns that were named, for evaluating a run on other files."""
        named = {"text": self._text, "label": self._label}
        return {name: column for name, column in named.items() if column is not None}

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return one dataset for each of train, validation and test that is given.

        Raises:
            UserError: for a file that is missing, or has another layout.
        """
        for name in self._files:
            self._file(name)
        target = self.target_spec  # what is wrong with the tags shows before the first example
        return {
            name: stream(functools.partial(self._examples, name), target=target)
            for name in self._files
        }

    @functools.cached_property
    def _counts(self) -> _Counts:
        """The content of `train`, which is read once."""
        types: set[str] = set()
        file, repaired, moved = self._file("train"), 0, 0
        for _, tagged in file.rows():
            types.update(kind for kind, _, _ in tagged.entities)
            repaired += tagged.repaired
            moved += tagged.moved
        return _Counts(types, repaired, moved, tuple(file.skipped))

    @cached_method
    def _file(self, split: str) -> TaggedFile:
        columns = {"text": self._text, "label": self._label, "tags": self._tags}
        return open_tagged(self._files[split], self._folder, options=self._options, **columns)

    def _examples(self, split: str) -> Iterator[Example]:
        file, types = self._file(split), tags.types(self.labels)
        number = {kind: n for n, kind in enumerate(types)}
        for line, tagged in file.rows():
            unknown = next((k for k, _, _ in tagged.entities if k not in number), None)
            if unknown is not None:
                raise UserError(
                    f"`data`: line {line} of {file.name!r} has an entity of type {unknown!r}; the "
                    f"types are {', '.join(types)}."
                )
            entities = [(number[kind], start, end) for kind, start, end in tagged.entities]
            yield {"text": tagged.text, "label": tags.encode(entities)}


def _tag_names(labels: str | Sequence[str] | Mapping[str, str] | None) -> dict[str, str]:
    """Return the names of tags by number, as text; none if they have names already.

    >>> _tag_names("O,B-PER")
    {'0': 'O', '1': 'B-PER'}

    Raises:
        ValueError: if a name is no tag.
    """
    given = given_labels(labels) if labels else {}
    names = given if isinstance(given, dict) else {str(n): name for n, name in enumerate(given)}
    if wrong := [name for name in names.values() if not tags.TAG.fullmatch(name)]:
        raise ValueError(
            "`labels` must name tags that are numbers, such as 0=O,1=B-PER,2=I-PER. Received: "
            f"{wrong[0]!r}."
        )
    return names
