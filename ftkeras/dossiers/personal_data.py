"""The part about personal data: what patterns and models find in the texts that the model reads."""

import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ftkeras.data.examples import Examples
from ftkeras.dossiers import detection, identifiers, names
from ftkeras.dossiers.detection import Found
from ftkeras.dossiers.memorization import spread
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import UNLABELLED, Subject
from ftkeras.figures.parts import Missing, Notice, Table, Text
from ftkeras.figures.parts import Part as Shown
from ftkeras.reports import data as data_report
from ftkeras.runs import layout
from ftkeras.support import files

# Texts of a split that are searched, evenly spread, and masked examples that are shown of a kind.
MOST, EXAMPLES = 20_000, 3
# Texts of a split in which a model looks for names, which takes far longer.
MOST_FOR_NAMES = 1_000
# What each pattern needs; spares the search of most tokens of a vocabulary.
_MAY_BE_PERSONAL = re.compile(r"[@\d]")
# Files of texts in the run's folder.
KEPT = {"samples": layout.SAMPLES, "report": layout.REPORT_TEXTS}
WITHOUT_LABELS = "texts without labels"
NOTE = (
    "Counts of places, not of people. In the examples, all but the first two letters and digits "
    "are hidden. Telephone numbers without a country code are those of "
    f"{' and '.join(detection.REGIONS)}."
)
NAMES = (
    "It misses names, and takes other words for names. Of each split it reads at most "
    f"{MOST_FOR_NAMES:,} texts."
)


@dataclass
class Count:
    """The findings of one kind.

    Attributes:
        places: how often, by split.
        texts: in how many texts.
        examples: the first few, masked.
    """

    places: dict[str, int] = field(default_factory=dict)
    texts: int = 0
    examples: list[str] = field(default_factory=list)


def part(subject: Subject) -> Part:
    """Return the part about personal data in texts, samples, the report and the vocabulary.

    The texts of the splits are searched as the model reads them, after the run's redaction.

    Raises:
        UserError: if the data can't be read, or phonenumbers is not installed.
    """
    searched: dict[str, int] = {}
    left_out: dict[str, int] = {}
    counts = {kind: Count() for kind in detection.KINDS}
    for split, examples in _splits(subject).items():
        chosen: Examples = spread(examples, MOST)
        searched[split] = len(chosen)
        if len(examples) > len(chosen):
            left_out[split] = len(examples) - len(chosen)
        _count(counts, split, _matches(_joined(subject.raw_texts(chosen))))
    for name, file in KEPT.items():
        if texts := _kept(subject.folder / file):
            searched[name] = len(texts)
            _count(counts, name, _matches(texts))
    vocabulary = subject.experiment.text_layer.tokenizer.vocabulary
    searched["vocabulary"] = len(vocabulary)
    _count(counts, "vocabulary", _matches(filter(_MAY_BE_PERSONAL.search, vocabulary)))
    people = _people(subject)
    read = subject.view.metrics.get("read", {})
    data: dict[str, Any] = {
        "searched": searched,
        "left_out": left_out,
        "kinds": {kind: vars(count) for kind, count in counts.items()},
        "redacted": {split: of["redacted"] for split, of in read.items() if "redacted" in of},
        "names": people,
        "not_searched": [
            *([] if people else ["names of people"]),
            *([WITHOUT_LABELS] if subject.unlabelled_reason else []),
        ],
    }
    return Part("personal_data", "Personal data", data, _shown(subject, data))


def _splits(subject: Subject) -> dict[str, Examples]:
    """Return the examples of each split, and those without labels."""
    unlabelled = subject.unlabelled
    further = {} if unlabelled is None else {UNLABELLED: unlabelled}
    return {**subject.examples, **further}


def _people(subject: Subject) -> dict[str, Any] | None:
    """Return the names that a model finds in the splits; None if no model is installed."""
    finder = names.installed()
    if finder is None:
        return None
    searched, counts = {}, {names.KIND: Count()}
    for split, examples in _splits(subject).items():
        chosen: Examples = spread(examples, MOST_FOR_NAMES)
        searched[split] = len(chosen)
        _count(counts, split, finder.find(_joined(subject.raw_texts(chosen))))
    return {"model": finder.model, "searched": searched, **vars(counts[names.KIND])}


def _joined(texts: Iterable[Mapping[str, str]]) -> Iterator[str]:
    return (" | ".join(one.values()) for one in texts)


def _matches(texts: Iterable[str]) -> Iterator[tuple[str, list[Found]]]:
    """Yield each text with what patterns find in it."""
    return ((text, detection.find(text)) for text in texts)


def _count(
    counts: Mapping[str, Count], split: str, texts: Iterable[tuple[str, list[Found]]]
) -> None:
    for text, found in texts:
        for one in found:
            count = counts[one.kind]
            count.places[split] = count.places.get(split, 0) + 1
            if len(count.examples) < EXAMPLES:
                count.examples.append(identifiers.mask(text[one.start : one.end]))
        for kind in {one.kind for one in found}:
            counts[kind].texts += 1


def _kept(path: pathlib.Path) -> list[str]:
    """Return the texts of a file of the run; none if there is no such file."""
    if not path.is_file():
        return []
    rows = files.read_json_lines(path)
    return [" | ".join(str(row[name]) for name in ("text", "pair") if name in row) for row in rows]


def _shown(subject: Subject, data: dict[str, Any]) -> list[Shown]:
    rows = [_row(kind, count, data["searched"]) for kind, count in data["kinds"].items()]
    lacking = subject.unlabelled_reason
    shown: list[Shown] = [
        _verdict(data),
        *([Missing(WITHOUT_LABELS.capitalize(), lacking)] if lacking else []),
        *_redacted(subject.config.redact, data["redacted"]),
        Text(f"Texts and tokens that were searched: {_listed(data['searched'])}."),
        Table("personal_data", "Patterns found", _columns(data["searched"]), rows, NOTE),
        *_names(data["names"]),
    ]
    if stated := subject.about.text("data.personal_data"):
        shown.append(Text(f"about.yaml states: {stated}"))
    return shown


def _verdict(data: dict[str, Any]) -> Notice:
    if any(count["texts"] for count in data["kinds"].values()):
        return Notice("Patterns of personal data were found in the texts that the model reads.")
    if WITHOUT_LABELS in data["not_searched"]:
        return Notice("No pattern of personal data was found in the texts that could be searched.")
    none = "No pattern of personal data was found in the texts that"
    if data["left_out"]:
        return Notice(f"{none} were searched; {_listed(data['left_out'])} were not.", "good")
    return Notice(f"{none} the model reads.", "good")


def _names(by_spacy: dict[str, Any] | None) -> list[Shown]:
    if by_spacy is None:
        return [Missing("Names of people", names.MISSING)]
    searched = by_spacy["searched"]
    about = f"The spaCy model {by_spacy['model']} looked for names in {_listed(searched)}. {NAMES}"
    row = _row(names.KIND, by_spacy, searched)
    return [Table("names", "Names of people", _columns(searched), [row], about)]


def _listed(searched: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} of {split}" for split, number in searched.items())


def _columns(searched: Mapping[str, int]) -> list[str]:
    return ["kind", *searched, "texts", "examples, masked"]


def _row(kind: str, count: Mapping[str, Any], searched: Mapping[str, int]) -> list[Any]:
    places = (count["places"].get(split, 0) for split in searched)
    return [kind, *places, count["texts"], "; ".join(count["examples"]) or None]


def _redacted(spec: str | None, counts: Mapping[str, Mapping[str, int]]) -> list[Shown]:
    """Return a paragraph about what the run redacted; the files of the data still have it."""
    if not counts:
        return []
    replaced = data_report.redacted(counts)
    return [Text(f"--redact={spec} {replaced}, before the search. The files of the data keep it.")]
