"""Asks a model that is served, by TensorFlow Serving or by `serve`, over REST or gRPC.

```python
from ftkeras.serving.client import Client

with Client("http://127.0.0.1:8501", model="imdb") as client:      # or grpc://127.0.0.1:8500
    for answer in client.predict(["Worth every minute.", "A waste of time."]):
        print(answer["label"], answer["score"])
```

REST needs no TensorFlow; gRPC imports it for its messages.
"""

import json
import random
import time
from collections.abc import Callable, Iterator

import numpy as np
import requests

# Refusals that are over when the server has room again, or is there again.
PASSING = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED"})
_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ServingError(Exception):
    """What a server answered instead of a prediction, or that none answered.

    Args:
        code: gRPC's name for it, such as `NOT_FOUND`, `UNAVAILABLE` or `DEADLINE_EXCEEDED`.
        message: what the server says.
    """

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Client:
    """A model on a server.

    Args:
        address: `http://host:8501` for REST, `grpc://host:8500` for gRPC.
        model: its name on the server.
        version: which one to ask; None for the newest.
        label: the name of a version, such as `stable`; not beside `version`.
        deadline: seconds that a call may take, with all that is tried again; positive.
        retries: how often a request is sent again where the server is not there or has no room;
            the waits between grow from 0.1 s twofold, each shortened at random by up to half.
        batch_size: texts a request.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(
        self,
        address: str,
        *,
        model: str,
        version: int | None = None,
        label: str | None = None,
        deadline: float = 10.0,
        retries: int = 3,
        batch_size: int = 32,
    ):
        if version is not None and label is not None:
            raise ValueError(f"label must not stand beside version. Received: {label!r}.")
        if deadline <= 0:
            raise ValueError(f"deadline must be positive. Received: {deadline}.")
        for name, value, least in (("retries", retries, 0), ("batch_size", batch_size, 1)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}. Received: {value}.")
        scheme, _, rest = address.partition("://")
        if scheme not in ("http", "https", "grpc") or not rest:
            raise ValueError(
                f"address must begin with http://, https:// or grpc://. Received: {address!r}."
            )
        self._deadline, self._retries, self._batch_size = deadline, retries, batch_size
        transport = _Grpc if scheme == "grpc" else _Rest
        where = rest if scheme == "grpc" else address
        self._transport = transport(where.rstrip("/"), model, version, label)

    def predict(self, texts: list[str], pairs: list[str] | None = None) -> list[dict]:
        """The answer to each text, in order: `label`, `score`, `probabilities`.

        Args:
            texts: what to label.
            pairs: the second text of each, where the model labels pairs.

        Raises:
            ServingError: where the server refuses, or the deadline passes.
        """
        inputs = {"text": texts} if pairs is None else {"text": texts, "pair": pairs}
        outputs = self.call("serving_default", **inputs)
        return [
            {"label": label, "score": float(score), "probabilities": [float(p) for p in row]}
            for label, score, row in zip(
                outputs["label"], outputs["score"], outputs["probabilities"], strict=True
            )
        ]

    def call(self, signature: str, **inputs) -> dict[str, np.ndarray]:
        """A signature's outputs by name; string outputs hold `str`.

        Args:
            signature: such as `token_ids`.
            inputs: arrays or lists by name, all [batch, …].
        """
        end = time.monotonic() + self._deadline
        parts = [self._send(signature, part, end) for part in self._parts(inputs)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def close(self) -> None:
        """Lets go of the connection."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _parts(self, inputs: dict) -> Iterator[dict]:
        count = len(next(iter(inputs.values())))
        for start in range(0, max(count, 1), self._batch_size):
            yield {name: v[start : start + self._batch_size] for name, v in inputs.items()}

    def _send(self, signature: str, inputs: dict, end: float) -> dict[str, np.ndarray]:
        send: Callable = self._transport.send
        for attempt in range(self._retries + 1):
            left = end - time.monotonic()
            if left <= 0:
                raise ServingError("DEADLINE_EXCEEDED", f"no answer in {self._deadline:g} s")
            try:
                return send(signature, inputs, left)
            except ServingError as error:
                wait = 0.1 * 2**attempt * random.uniform(0.5, 1)
                last = attempt == self._retries or end - time.monotonic() <= wait
                if error.code not in PASSING or last:
                    raise
                time.sleep(wait)
        raise AssertionError  # the last attempt returns or raises


class _Rest:
    """TensorFlow Serving's REST API, in columns: names are said once."""

    def __init__(self, address: str, model: str, version: int | None, label: str | None):
        which = f"/versions/{version}" if version is not None else ""
        which = f"/labels/{label}" if label is not None else which
        self._url = f"{address}/v1/models/{model}{which}"
        self._session = requests.Session()

    def send(self, signature: str, inputs: dict, seconds: float) -> dict[str, np.ndarray]:
        columns = {name: np.asarray(value).tolist() for name, value in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": columns})
        outputs = self._ask("POST", ":predict", seconds, body.encode())["outputs"]
        if not isinstance(outputs, dict):
            # Where there is one output only, the API leaves its name out.
            outputs = {self._only_output(signature, seconds): outputs}
        return {name: _array(value) for name, value in outputs.items()}

    def close(self) -> None:
        self._session.close()

    def _only_output(self, signature: str, seconds: float) -> str:
        metadata = self._ask("GET", "/metadata", seconds)["metadata"]["signature_def"]
        return next(iter(metadata["signature_def"][signature]["outputs"]))

    def _ask(self, method: str, path: str, seconds: float, body: bytes | None = None) -> dict:
        try:
            url = f"{self._url}{path}"
            response = self._session.request(method, url, data=body, timeout=seconds)
            answer = response.json()
        except requests.Timeout:
            raise ServingError("DEADLINE_EXCEEDED", f"no answer in {seconds:.3g} s") from None
        except (requests.ConnectionError, requests.exceptions.JSONDecodeError) as error:
            raise ServingError("UNAVAILABLE", str(error)) from None
        if not response.ok:
            code = _CODES.get(response.status_code, "UNKNOWN")
            raise ServingError(code, str(answer.get("error", answer)))
        return answer


class _Grpc:
    """TensorFlow Serving's PredictionService."""

    def __init__(self, address: str, model: str, version: int | None, label: str | None):
        import grpc
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        self._errors, self._predict_pb2 = grpc, predict_pb2
        self._channel = grpc.insecure_channel(address, [("grpc.max_receive_message_length", -1)])
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model, self._version, self._label = model, version, label

    def send(self, signature: str, inputs: dict, seconds: float) -> dict[str, np.ndarray]:
        import tensorflow as tf

        request = self._predict_pb2.PredictRequest()
        spec = request.model_spec
        spec.name, spec.signature_name = self._model, signature
        if self._version is not None:
            spec.version.value = self._version
        if self._label is not None:
            spec.version_label = self._label
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(_typed(value)))
        try:
            response = self._stub.Predict(request, timeout=seconds)
        except self._errors.RpcError as error:
            raise ServingError(error.code().name, error.details()) from None
        return {name: _array(tf.make_ndarray(proto)) for name, proto in response.outputs.items()}

    def close(self) -> None:
        self._channel.close()


def _typed(value) -> np.ndarray:
    """As gRPC sends it: types must be the signature's, and integers in a list are token ids."""
    array = np.asarray(value)
    listed = not isinstance(value, np.ndarray) and array.dtype == np.int64
    return array.astype(np.int32) if listed else array


def _array(value) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype != object:
        return array
    return np.array([item.decode("utf-8", "replace") for item in array.flat]).reshape(array.shape)
