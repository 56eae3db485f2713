"""The interface of the parts of a dossier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ftkeras.figures import parts as page_parts
from ftkeras.figures.parts import Missing, Section


@dataclass(frozen=True)
class Part:
    """A part of the dossier: a section of the page, a JSON file, and maybe further documents.

    Attributes:
        name: what clauses and the JSON file call it.
        title: the heading of its section.
        data: the content of the JSON file, JSON types only. A clause is answered by a key of it
            that has a value; leave out, or set to None, what is not known.
        shown: what the page has, from top to bottom.
        documents: further JSON files in published formats, by their names.
    """

    name: str
    title: str
    data: Mapping[str, Any]
    shown: Sequence[page_parts.Part]
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def section(self) -> Section:
        """The section of the page."""
        return Section(self.title, self.name.replace("_", "-"), self.shown)

    def find(self, keys: Sequence[str]) -> Any:
        """Return the value at a path of keys; None if there is none, or it is empty."""
        value: Any = self.data
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return None if value in ("", [], {}, ()) else value


def missing(name: str, title: str, reason: str) -> Part:
    """Return a part that says why there is nothing to show."""
    return Part(name, title, {"missing": reason}, [Missing(title, reason)])
