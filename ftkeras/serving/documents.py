"""A request's JSON: parsed as TensorFlow Serving parses it, and its strings as bytes.

Strings that are no text are written `{"b64": "…"}`. Numbers may be NaN, Infinity and -Infinity.

Source: https://www.tensorflow.org/tfx/serving/api_rest; what that leaves open is as
tensorflow/serving's util/json_tensor.cc does it.
"""

import base64
import binascii
import json

from ftkeras.serving.refused import invalid

# A value of the wrong type is shown in the error; no reader wants a megabyte of it.
SHOWN = 200

# What rapidjson calls the errors that Python's parser finds.
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


def parse(body: bytes) -> dict:
    """A request's JSON object.

    Bytes that are no UTF-8 stay what they are, for the model to judge: so TensorFlow Serving does.
    """
    if not body.strip():
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body.decode("utf-8", "surrogateescape"))
    except json.JSONDecodeError as error:
        told = next((t for start, t in _PARSE_ERRORS.items() if error.msg.startswith(start)), None)
        raise invalid(f"JSON Parse error: {told or error.msg} at offset: {error.pos}") from None
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def signature_name(document: dict) -> str:
    """The signature that a request names, or the one that it leaves to be meant."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    return name or "serving_default"


def encoded(value: str) -> bytes:
    """The bytes of a string of a request."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None


def is_base64(value) -> bool:
    """Whether a JSON value stands for bytes: an object of `b64` alone."""
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def from_base64(value: dict) -> bytes:
    """The bytes of `{"b64": …}`; whitespace and missing padding do not matter."""
    letters = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


_KINDS = {list: "Array", dict: "Object", str: "String", int: "Number", float: "Number"}


def kind(value) -> str:
    """What JSON calls a value's type."""
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    return _KINDS[type(value)]


def shown(value) -> str:
    """A value for an error's reader: its beginning, where it is long."""
    written = ""
    for piece in json.JSONEncoder().iterencode(value):
        written += piece
        if len(written) > SHOWN:
            return f"{written[:SHOWN]}…"
    return written
