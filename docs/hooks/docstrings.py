"""Turn docstrings into Markdown: formulas and doctests become code blocks."""

import re
import textwrap
from collections.abc import Iterator

import griffe

# `w <- w - rate g`, `logits = vector · kernel + bias`
_FORMULA_LINE = re.compile(r"\S.* (=|<-|->) \S.*[^.:]")
# Sections that describe the Python class; a part's keys are shown in a table instead.
_PYTHON_SECTIONS = ("Args:", "Attributes:", "Call:", "Raises:", "Returns:", "Yields:")


class Extension(griffe.Extension):
    """Prepare the docstrings that mkdocstrings shows."""

    def on_instance(self, *, obj: griffe.Object, **_) -> None:
        """Rewrite an object's docstring, except its sections."""
        if obj.docstring:
            obj.docstring.value = to_markdown(obj.docstring.value)


def to_markdown(docstring: str) -> str:
    """Return a docstring with formulas and doctests as code blocks."""
    return "\n\n".join(_markdown(paragraph) for paragraph in docstring.split("\n\n"))


def prose(docstring: str) -> str:
    """Return a docstring without its sections about Python and without doctests."""
    return "\n\n".join(_markdown(paragraph) for paragraph in _prose(docstring))


def _prose(docstring: str) -> Iterator[str]:
    is_shown = True
    for paragraph in docstring.split("\n\n"):
        if not paragraph.startswith(" "):
            is_shown = not paragraph.startswith((*_PYTHON_SECTIONS, ">>>", "Other arguments"))
        if is_shown:
            yield paragraph


def _markdown(paragraph: str) -> str:
    lines = paragraph.splitlines()
    if lines and lines[0].startswith(">>>"):
        return f"```pycon\n{paragraph}\n```"
    if lines and all(map(_FORMULA_LINE.fullmatch, lines)):
        return f"```text\n{textwrap.dedent(paragraph)}\n```"
    return paragraph
