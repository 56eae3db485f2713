"""Reach a server over TensorFlow Serving's PredictionService."""

import numpy as np

from ftkeras.errors import UserError
from ftkeras.serving.errors import ServingError

# gRPC also answers RESOURCE_EXHAUSTED to a message that is larger than the receiver allows, with
# these words. Sending it again can't help.
_TOO_LARGE = "message larger than max"


class Grpc:
    """A connection over gRPC.

    Args:
        address: Such as `host:8500`.
        model: The model's name.
        version: Its version; None for the newest.
        label: A version's label; None for none.

    Raises:
        UserError: A package that it needs is not installed.
    """

    def __init__(self, address: str, model: str, version: int | None, label: str | None):
        try:
            import grpc
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
        except ModuleNotFoundError as error:
            raise UserError(f"gRPC needs {error.name}: pip install 'ftkeras[grpc]'") from None
        self._grpc, self._predict_pb2 = grpc, predict_pb2
        self._channel = grpc.insecure_channel(address, [("grpc.max_receive_message_length", -1)])
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model, self._version, self._label = model, version, label

    def send(
        self, signature: str, inputs: dict[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        """Run a signature within so many seconds, and return its outputs by name.

        Raises:
            ServingError: The server refuses, or does not answer in time.
        """
        import tensorflow as tf

        request = self._predict_pb2.PredictRequest()
        spec = request.model_spec
        spec.name, spec.signature_name = self._model, signature
        if self._version is not None:
            spec.version.value = self._version
        if self._label is not None:
            spec.version_label = self._label
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(_encode(value)))
        try:
            response = self._stub.Predict(request, timeout=seconds)
        except self._grpc.RpcError as error:
            raise _serving_error(error.code().name, error.details()) from None
        return {name: _decode(tf.make_ndarray(proto)) for name, proto in response.outputs.items()}

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


def _serving_error(code: str, details: str) -> ServingError:
    exhausted = code == "RESOURCE_EXHAUSTED" and _TOO_LARGE not in details.lower()
    return ServingError(code, details, may_pass=code == "UNAVAILABLE" or exhausted)


def _encode(array: np.ndarray) -> np.ndarray:
    """Return strings as UTF-8; other arrays as they are."""
    if array.dtype != object:
        return array
    encoded = [v.encode("utf-8", "surrogatepass") if isinstance(v, str) else v for v in array.flat]
    return _objects(encoded, array.shape)


def _decode(array: np.ndarray) -> np.ndarray:
    """Return byte strings as `str`; other arrays as they are."""
    if array.dtype != object:
        return array
    return _objects([value.decode("utf-8", "replace") for value in array.flat], array.shape)


def _objects(values: list, shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)
