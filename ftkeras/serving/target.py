"""Parse a URL of the REST API into the model version and verb that it addresses."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ftkeras.serving.errors import invalid_argument

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(rf"(?i){_MODEL}:(?P<verb>classify|regress|predict)")
_GET = re.compile(rf"(?i){_MODEL}(?:/(?P<verb>metadata))?")
INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Target:
    """The target of a URL.

    Attributes:
        verb: `predict`, `classify`, `regress`, `metadata` or `status`.
        name: The model's name.
        version: The version that the URL names, if any.
        label: The version label that the URL names, if any.
    """

    verb: str
    name: str
    version: int | None = None
    label: str | None = None


def parse(method: str, path: str) -> Target:
    """Parse a request's method and path.

    Args:
        method: HTTP's method.
        path: The path as it was sent, with its percent escapes.

    Raises:
        RequestError: The API has no such URL.
    """
    match = {"POST": _POST, "GET": _GET}.get(method, _POST).fullmatch(path)
    if method == "GET" and path.lower() == "/v1/models":
        raise invalid_argument("Missing model name in request.")
    if match is None or method not in ("GET", "POST"):
        raise invalid_argument(f"Malformed request: {method} {path}")
    version = int(match["version"].lstrip("0")[:20] or "0") if match["version"] else None
    if version is not None and version > INT64_MAX:
        raise invalid_argument(f"Failed to convert version: {match['version']} to numeric.")
    label = match["label"] and unquote(match["label"])
    verb = (match["verb"] or "status").lower()
    return Target(verb, unquote(match["name"]), version, label)
