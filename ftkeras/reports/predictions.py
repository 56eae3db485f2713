"""Predictions as lines of text."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ftkeras.problems import Problem
from ftkeras.support.controls import CONTROLS

# All at which str.splitlines splits, and what could change a terminal.
_BREAKS = re.compile(rf"\r\n|[\n{CONTROLS}\u2028\u2029]")


def line(problem: Problem, text: str, answer: Mapping[str, Any]) -> str:
    """Return the answer and the text with tabs between them.

    Line breaks and other control characters become spaces. What was no valid byte becomes "?".
    """
    shown = f"{problem.line(answer)}\t{text}".encode("utf-8", "replace").decode()
    return _BREAKS.sub(" ", shown)


def json_line(texts: Mapping[str, str], answer: Mapping[str, Any]) -> str:
    """Return a JSON object with the parts of the answer, and the texts by what they are called.

    What was no valid byte of a text becomes "?".
    """
    shown = json.dumps({**answer, **texts}, ensure_ascii=False)
    return shown.encode("utf-8", "replace").decode()
