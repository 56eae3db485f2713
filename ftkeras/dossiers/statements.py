"""The part with what people state in about.yaml."""

from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Facts, Heading, Missing
from ftkeras.figures.parts import Part as Shown


def part(subject: Subject) -> Part:
    """Return the part with all statements, and the keys of about.yaml that have none."""
    shown: list[Shown] = []
    empty: list[str] = []
    for section, texts in subject.about.sections().items():
        stated = {_title(key): text for key, text in texts.items() if text}
        empty += [key for key, text in texts.items() if not text]
        if stated:
            shown += [Heading(section.capitalize()), Facts(stated)]
    if empty:
        shown.append(Missing("Not stated in about.yaml", ", ".join(empty) + "."))
    data = {"statements": dict(subject.about.statements), "not_stated": empty}
    return Part("statements", "Statements", data, shown)


def _title(key: str) -> str:
    return key.rpartition(".")[2].replace("_", " ").capitalize()
