"""Parse the JSON of a request as TensorFlow Serving does, and decode its strings to bytes.

Binary strings are written as `{"b64": "…"}`. Numbers may be NaN, Infinity and -Infinity.

Source: https://www.tensorflow.org/tfx/serving/api_rest; details that it leaves open follow
tensorflow/serving's util/json_tensor.cc.
"""

import base64
import binascii
import json
from typing import Any

from ftkeras.serving.errors import invalid_argument

# Error messages quote a value of the wrong type up to this many characters.
QUOTED_CHARACTERS = 200

# The messages of rapidjson by those of Python's parser.
_PARSE_ERRORS = {
    "Expecting value": "Invalid value.",
    "Extra data": "The document root must not be followed by other values.",
    "Expecting property name": "Missing a name for object member.",
    "Illegal trailing comma": "Missing a name for object member.",
    "Expecting ':'": "Missing a colon after a name of object member.",
    "Expecting ','": "Missing a comma after an element.",
    "Unterminated string": "Missing a closing quotation mark in string.",
    "Invalid \\": "Invalid escape character in string.",
}
_TYPE_NAMES = {list: "Array", dict: "Object", str: "String", int: "Number", float: "Number"}


def parse(body: bytes) -> dict:
    """Return the JSON object in a request's body.

    Bytes that are not UTF-8 are passed on unchanged, as TensorFlow Serving does.

    Raises:
        RequestError: The body is not a JSON object.
    """
    if not body.strip():
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        document = json.loads(body.decode("utf-8", "surrogateescape"))
    except json.JSONDecodeError as error:
        reason = next((m for start, m in _PARSE_ERRORS.items() if error.msg.startswith(start)), "")
        raise invalid_argument(
            f"JSON Parse error: {reason or error.msg} at offset: {error.pos}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise invalid_argument(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {quote(document)} Is not object")
    return document


def signature_name(document: dict) -> str:
    """Return the signature that a request names, or the default one."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid_argument(
            f"JSON Value: {quote(document)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    return name or "serving_default"


def to_bytes(value: str) -> bytes:
    """Return the bytes of a JSON string."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise invalid_argument(
            "JSON Parse error: The surrogate pair in string is invalid."
        ) from None


def is_base64(value: Any) -> bool:
    """Return whether a JSON value stands for bytes: an object whose only member is `b64`."""
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def from_base64(value: dict[str, str]) -> bytes:
    """Return the bytes of `{"b64": …}`, ignoring whitespace and missing padding."""
    letters = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid_argument("Unable to base64 decode") from None


def type_name(value: Any) -> str:
    """Return JSON's name for the type of a value."""
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    return _TYPE_NAMES[type(value)]


def quote(value: Any) -> str:
    """Return a value as JSON for an error message, shortened if it is long."""
    written = ""
    for piece in json.JSONEncoder().iterencode(value):
        written += piece
        if len(written) > QUOTED_CHARACTERS:
            return f"{written[:QUOTED_CHARACTERS]}…"
    return written
