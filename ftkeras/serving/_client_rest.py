"""Reach a server over TensorFlow Serving's REST API."""

import base64
import json
from typing import Any
from urllib.parse import quote

import numpy as np

from ftkeras.errors import UserError
from ftkeras.serving.errors import ServingError

# gRPC's code for each of HTTP's. A proxy in between may answer with any of them.
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# Errors that pass once the server has capacity, or is there, again.
_PASSING = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
# Messages quote a body that is not the API's JSON up to this many characters.
_QUOTED_CHARACTERS = 200


class Rest:
    """A connection over REST. Requests are sent in columns, so that names are sent once.

    Args:
        address: Such as `http://host:8501`.
        model: The model's name.
        version: Its version; None for the newest.
        label: A version's label; None for none.

    Raises:
        UserError: The package `requests` is not installed.
    """

    def __init__(self, address: str, model: str, version: int | None, label: str | None):
        try:
            import requests
        except ModuleNotFoundError:
            raise UserError("REST needs requests: pip install 'ftkeras[client]'") from None
        part = f"/versions/{version}" if version is not None else ""
        part = f"/labels/{quote(label, safe='')}" if label is not None else part
        self._url = f"{address}/v1/models/{quote(model, safe='')}{part}"
        self._requests, self._session = requests, requests.Session()
        self._only_outputs: dict[str, str] = {}

    def send(
        self, signature: str, inputs: dict[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        """Run a signature within so many seconds, and return its outputs by name.

        Raises:
            ServingError: The server refuses, or does not answer in time.
        """
        columns = {name: column.tolist() for name, column in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": columns}, default=_to_base64)
        outputs = self._ask("POST", ":predict", "outputs", seconds, body.encode())
        if not isinstance(outputs, dict):
            # The API omits the name of an output that is the only one.
            if signature not in self._only_outputs:
                self._only_outputs[signature] = self._only_output(signature, seconds)
            outputs = {self._only_outputs[signature]: outputs}
        return {name: _to_array(value) for name, value in outputs.items()}

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _only_output(self, signature: str, seconds: float) -> str:
        metadata = self._ask("GET", "/metadata", "metadata", seconds)
        try:
            definition = metadata["signature_def"]["signature_def"][signature]
            return next(iter(definition["outputs"]))
        except (KeyError, TypeError, StopIteration):
            raise ServingError(
                "UNKNOWN", f"the metadata does not describe the signature {signature}"
            ) from None

    def _ask(
        self, method: str, path: str, member: str, seconds: float, body: bytes | None = None
    ) -> Any:
        """Return a member of the response's JSON object."""
        response = self._request(method, path, seconds, body)
        answer = _parse(response.content)
        if not response.ok:
            code = _CODES.get(response.status_code, "UNKNOWN")
            message = answer["error"] if "error" in answer else _describe(response)
            raise ServingError(code, str(message), may_pass=code in _PASSING)
        if member not in answer:
            raise ServingError("UNKNOWN", f"no {member} in the response: {_describe(response)}")
        return answer[member]

    def _request(self, method: str, path: str, seconds: float, body: bytes | None) -> Any:
        errors = self._requests.exceptions
        try:
            return self._session.request(method, self._url + path, data=body, timeout=seconds)
        except errors.Timeout:
            raise ServingError("DEADLINE_EXCEEDED", f"no answer in {seconds:.3g} s") from None
        except (errors.ConnectionError, errors.ChunkedEncodingError) as error:
            raise ServingError("UNAVAILABLE", str(error), may_pass=True) from None
        except errors.RequestException as error:  # such as an invalid URL, or too many redirects
            raise ServingError("UNKNOWN", str(error)) from None


def _parse(body: bytes) -> dict:
    """Return the JSON object in a response, empty if it holds something else."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _describe(response: Any) -> str:
    """Return the status and the start of a response's body, in one line."""
    text = " ".join(response.text.split())[:_QUOTED_CHARACTERS]
    return f"HTTP {response.status_code} {response.reason}: {text}".strip(": ")


def _to_base64(value: bytes) -> dict[str, str]:
    """Return bytes, which JSON has no type for, as the API writes them."""
    return {"b64": base64.b64encode(value).decode()}


def _to_array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return np.array(value, dtype=object) if array.dtype.kind == "U" else array
