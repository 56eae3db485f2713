"""Put the page together: one HTML file that loads nothing else."""

import base64
import hashlib
import importlib.resources
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from markdown_it import MarkdownIt

from ftkeras.errors import UserError
from ftkeras.runs import inputs, layout
from ftkeras.serving.page.examples import Examples

# In the order in which the browser reads them.
SCRIPTS = ("api", "thresholds", "answers", "words", "csv", "file", "main")


def page(model: str, folder: pathlib.Path, *, examples: Examples) -> tuple[str, dict[str, str]]:
    """Return the page about a version of a model, and the HTTP headers that it needs.

    Args:
        model: its name, in URLs.
        folder: of the version.
        examples: texts that the page offers.
    """
    script = "".join(_asset(f"{name}.js") for name in SCRIPTS)
    card = _card(folder / layout.MODEL_CARD)
    settings = {
        "model": model,
        "columns": _columns(folder),
        "has_card": bool(card),
        "examples": examples.texts,
        "examples_of": examples.origin,
    }
    parts = {
        "style": _asset("page.css"),
        "script": script,
        "card": card,
        # Within a script element, "<" could end it.
        "settings": json.dumps(settings).replace("<", "\\u003c"),
    }
    return _filled(_asset("page.html"), parts), _headers(script)


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """Return a template with parts in place of `{{name}}`; what looks so within a part stays."""
    for name in parts:
        template = template.replace(f"{{{{{name}}}}}", f"\0{name}\0")
    pieces = template.split("\0")
    return "".join(parts[one] if number % 2 else one for number, one in enumerate(pieces))


def _headers(script: str) -> dict[str, str]:
    """Return headers by which a browser runs this script alone, and asks this server alone."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _card(path: pathlib.Path) -> str:
    """Return the model card as HTML; empty if there is none. HTML in the card is shown as text."""
    try:
        return MarkdownIt("js-default").render(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


def _columns(folder: pathlib.Path) -> dict[str, list[str]]:
    """Return the columns from which the run has read its texts; empty if they are not known."""
    try:
        recorded: Mapping[str, Any] = inputs.read(folder)
    except UserError:
        recorded = {}
    text, pair = recorded.get("text") or [], recorded.get("pair")
    return {"text": [str(name) for name in text], "pair": [str(pair)] if pair else []}


def _asset(name: str) -> str:
    return (
        importlib.resources.files("ftkeras.serving.page").joinpath(name).read_text(encoding="utf-8")
    )
