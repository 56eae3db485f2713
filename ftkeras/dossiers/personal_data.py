"""The part about personal data: what patterns find in the texts that the model reads."""

import json
import pathlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ftkeras.data.examples import Examples
from ftkeras.dossiers import detection, identifiers
from ftkeras.dossiers.memorization import spread
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Missing, Notice, Table, Text
from ftkeras.figures.parts import Part as Shown
from ftkeras.reports import data as data_report
from ftkeras.runs import layout

# Texts of a split that are searched, evenly spread, and masked examples that are shown of a kind.
MOST, EXAMPLES = 20_000, 3
# What each pattern needs; spares the search of most tokens of a vocabulary.
_MAY_BE_PERSONAL = re.compile(r"[@\d]")
# Files of texts in the run's folder.
KEPT = {"samples": layout.SAMPLES, "report": layout.REPORT_TEXTS}
NOTE = (
    "Counts of places, not of people. In the examples, all but the first two letters and digits "
    "are hidden. Telephone numbers without a country code are those of "
    f"{' and '.join(detection.REGIONS)}."
)
NAMES = (
    "patterns don't find them, and a statistical model for each language would have to be "
    "installed; look for them with a tool of your own."
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
    counts = {kind: Count() for kind in detection.KINDS}
    for split, examples in subject.examples.items():
        chosen: Examples = spread(examples, MOST)
        searched[split] = len(chosen)
        _count(counts, split, (" | ".join(one.values()) for one in subject.raw_texts(chosen)))
    for name, file in KEPT.items():
        if texts := _kept(subject.folder / file):
            searched[name] = len(texts)
            _count(counts, name, texts)
    vocabulary = subject.experiment.text_layer.tokenizer.vocabulary
    searched["vocabulary"] = len(vocabulary)
    _count(counts, "vocabulary", filter(_MAY_BE_PERSONAL.search, vocabulary))
    read = subject.view.metrics.get("read", {})
    data: dict[str, Any] = {
        "searched": searched,
        "kinds": {kind: vars(count) for kind, count in counts.items()},
        "redacted": {split: of["redacted"] for split, of in read.items() if "redacted" in of},
        "not_searched": ["names of people"],
    }
    return Part("personal_data", "Personal data", data, _shown(subject, data))


def _count(counts: Mapping[str, Count], split: str, texts: Iterable[str]) -> None:
    for text in texts:
        found = detection.find(text)
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
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [" | ".join(str(row[name]) for name in ("text", "pair") if name in row) for row in rows]


def _shown(subject: Subject, data: dict[str, Any]) -> list[Shown]:
    searched = data["searched"]
    rows = [
        [
            kind,
            *(count["places"].get(split, 0) for split in searched),
            count["texts"],
            "; ".join(count["examples"]) or None,
        ]
        for kind, count in data["kinds"].items()
    ]
    columns = ["kind", *searched, "texts", "examples, masked"]
    total = sum(count["texts"] for count in data["kinds"].values())
    listed = ", ".join(f"{number:,} of {split}" for split, number in searched.items())
    shown: list[Shown] = [
        Notice("Patterns of personal data were found in the texts that the model reads.")
        if total
        else Notice(
            "No pattern of personal data was found in the texts that the model reads.", "good"
        ),
        *_redacted(subject.config.redact, data["redacted"]),
        Text(f"Texts and tokens that were searched: {listed}."),
        Table("personal_data", "Patterns found", columns, rows, NOTE),
        Missing("Names of people", NAMES),
    ]
    if stated := subject.about.text("data.personal_data"):
        shown.append(Text(f"about.yaml states: {stated}"))
    return shown


def _redacted(spec: str | None, counts: Mapping[str, Mapping[str, int]]) -> list[Shown]:
    """Return what the run replaced before; the files of the data still have it."""
    if not counts:
        return []
    found = data_report.redacted(counts)
    return [Text(f"--redact={spec} {found}, before the search. The files of the data keep it.")]
