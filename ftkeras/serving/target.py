"""What a URL of the REST API asks for, and of which version."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ftkeras.serving.refused import invalid

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(rf"(?i){_MODEL}:(?P<verb>classify|regress|predict)")
_GET = re.compile(rf"(?i){_MODEL}(?:/(?P<verb>metadata))?")
INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Target:
    """A model's version and what is wanted of it.

    Attributes:
        verb: `predict`, `classify`, `regress`, `metadata` or `status`.
    """

    verb: str
    name: str
    version: int | None = None
    label: str | None = None


def parse(method: str, path: str) -> Target:
    """Reads a request's method and path, which is still as it was sent, with its escapes.

    Raises:
        Refused: where the API has no such URL.
    """
    found = {"POST": _POST, "GET": _GET}.get(method, _POST).fullmatch(path)
    if method == "GET" and path.lower() == "/v1/models":
        raise invalid("Missing model name in request.")
    if found is None or method not in ("GET", "POST"):
        raise invalid(f"Malformed request: {method} {path}")
    version = found["version"] and int(found["version"][:20])
    if version and version > INT64_MAX:
        raise invalid(f"Failed to convert version: {found['version']} to numeric.")
    label = found["label"] and unquote(found["label"])
    verb = (found["verb"] or "status").lower()
    return Target(verb, unquote(found["name"]), version, label)
