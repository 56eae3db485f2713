"""Predictions as lines of text."""

import json
from collections.abc import Mapping
from typing import Any

from ftkeras.problems import Problem


def line(problem: Problem, text: str, answer: Mapping[str, Any]) -> str:
    """Return the answer and the text with tabs between them; line breaks become spaces."""
    shown = text.encode("utf-8", "replace").decode().replace("\n", " ")
    return f"{problem.line(answer)}\t{shown}"


def json_line(texts: Mapping[str, str], answer: Mapping[str, Any]) -> str:
    """Return a JSON object with the parts of the answer, and the texts by what they are called.

    What was no valid byte of a text becomes "?".
    """
    shown = json.dumps({**answer, **texts}, ensure_ascii=False)
    return shown.encode("utf-8", "replace").decode()
