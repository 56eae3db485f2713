"""The part about licenses and their conflicts with a use: of data, models, code and packages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.dossiers import license_terms, software
from ftkeras.dossiers.about import About
from ftkeras.dossiers.license_terms import UNKNOWN, Terms
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Notice, Table, Text
from ftkeras.figures.parts import Part as Shown
from ftkeras.runs import license as known_license

DATA, ENCODER, TEACHER, CODE, PACKAGE = "data", "encoder", "teacher", "code", "dependency"
NOTE = (
    "The terms are those of license_terms.yaml in the package. A model counts as derived from its "
    "data, its encoder and its teachers. Only packages that ftkeras requires are listed."
)


@dataclass(frozen=True)
class Licensed:
    """Something with a license.

    Attributes:
        kind: data, encoder, teacher, code or dependency.
        name: what it is.
        license: an SPDX expression, or "unknown".
        stated: what was stated, and by whom.
    """

    kind: str
    name: str
    license: str
    stated: str


def part(subject: Subject) -> Part:
    """Return the part about licenses.

    Raises:
        UserError: if license-expression is not installed.
    """
    rows, conflicts, unknown = [], [], []
    for one in _licensed(subject):
        judgement = license_terms.judge(one.license, _asker(one.kind, subject.about))
        conflicts += [f"{one.kind} {one.name}: {text}" for text in judgement.conflicts]
        unknown += [f"{one.kind} {one.name}"] if judgement.unknown else []
        otherwise = "unknown terms" if judgement.unknown else "none"
        verdict = "; ".join(judgement.conflicts) or otherwise
        rows.append([one.kind, one.name, one.license, one.stated, verdict])
    stated = [key for key in subject.about.statements if key.startswith("use.")]
    data: dict[str, Any] = {
        **{
            kind: next((r[2] for r in rows if r[0] == kind and r[2] != UNKNOWN), None)
            for kind in (DATA, ENCODER, TEACHER, CODE)
        },
        "items": [dict(zip(_COLUMNS, row, strict=True)) for row in rows],
        "use": {key.removeprefix("use."): subject.about.statements[key] for key in stated},
        "conflicts": conflicts,
        "unknown": unknown,
    }
    table = Table("licenses", "Licenses", list(_COLUMNS), rows, NOTE)
    return Part("licenses", "Licenses", data, [*_verdict(data), table])


_COLUMNS = ("of", "name", "license", "stated", "conflicts")


def _licensed(subject: Subject) -> list[Licensed]:
    about, task, licensed = subject.about, subject.task, []
    of_data = about.text("data.license"), getattr(task, "license", None)
    licensed.append(_one(DATA, subject.config.task, *of_data, of="the task"))
    known = known_license.find(subject.checkpoint)
    if subject.checkpoint is not None or about.text("encoder.license"):
        of_encoder = about.text("encoder.license"), known and known.identifier
        name, by = subject.checkpoint or subject.config.encoder, known.source if known else ""
        licensed.append(_one(ENCODER, name, *of_encoder, of=by))
    of_teacher = about.text("teacher.license")
    licensed += [_one(TEACHER, name, of_teacher, None, of="") for name in subject.config.teacher]
    if about.text("code.license"):
        licensed.append(_one(CODE, "your own", about.text("code.license"), None, of=""))
    licensed += [
        Licensed(PACKAGE, f"{p.name} {p.version}", p.license, p.stated or "nothing")
        for p in software.installed()
    ]
    return licensed


def _one(kind: str, name: str, stated: str, known: str | None, *, of: str) -> Licensed:
    """Return the license that a person states, or else the one that is known."""
    text, by = (stated, "about.yaml") if stated else (known, of)
    shown = f"{text}, by {by}" if text else "nothing"
    return Licensed(kind, name, license_terms.identify(text), shown)


def _asker(kind: str, about: About) -> Callable[[Terms], tuple[str, ...]]:
    """Return a function that lists the conflicts of license terms with the stated use."""
    use = {key.removeprefix("use."): value for key, value in about.statements.items()}
    published = {
        DATA: use.get("publish_model") or use.get("publish_data"),
        ENCODER: use.get("publish_model"),
        TEACHER: use.get("publish_model"),
        CODE: use.get("publish_software"),
        PACKAGE: use.get("publish_software"),
    }[kind]

    def ask(terms: Terms) -> tuple[str, ...]:
        conflicts = []
        if use.get("commercial") and not terms.commercial:
            conflicts.append("forbids commercial use")
        if published and not terms.derivatives:
            conflicts.append("forbids to give others what is derived from it")
        if published and terms.same_license and use.get("same_license") is False:
            conflicts.append("requires the same license of what is derived from it")
        return tuple(conflicts)

    return ask


def _verdict(data: dict[str, Any]) -> Sequence[Shown]:
    asked = ["commercial", "publish_model"]
    published = ("publish_data", "publish_software")
    if data["use"].get("publish_model") is not False or any(map(data["use"].get, published)):
        asked.append("same_license")
    open_questions = [name for name in asked if name not in data["use"]]
    shown: list[Shown] = []
    if data["conflicts"]:
        shown.append(Notice(f"Conflicts: {'; '.join(data['conflicts'])}.", "error"))
    elif data["unknown"]:
        shown.append(Notice("No known license conflicts; those of unknown terms are not compared."))
    elif not open_questions:
        shown.append(Notice("No license conflicts with the stated use.", "good"))
    if open_questions:
        listed = ", ".join(f"use.{name}" for name in open_questions)
        which = "Not compared" if len(open_questions) == len(asked) else "Not fully compared"
        shown.append(Notice(f"{which}, as about.yaml does not state {listed}."))
    if data["unknown"]:
        shown.append(Text(f"Unknown: {', '.join(data['unknown'])}."))
    return shown
