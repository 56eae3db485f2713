"""The Python client, over REST and gRPC."""

import concurrent.futures
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from ftkeras.serving import client as client_module
from ftkeras.serving.client import Client, ServingError


class OverGrpc(prediction_service_pb2_grpc.PredictionServiceServicer):
    """TensorFlow Serving's PredictionService, over a loaded SavedModel."""

    def __init__(self, folder):
        self.signatures = tf.saved_model.load(str(folder)).signatures
        self.requests, self.failing = [], []

    def Predict(self, request, context):  # noqa: N802  gRPC's name
        self.requests.append(request)
        if self.failing:
            context.abort(self.failing.pop(), "not now")
        if request.model_spec.name != "tiny":
            asked = f"Servable not found for request: Latest({request.model_spec.name})"
            context.abort(grpc.StatusCode.NOT_FOUND, asked)
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        outputs = self.signatures[request.model_spec.signature_name](**tensors)
        response = predict_pb2.PredictResponse()
        for name, tensor in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(tensor))
        return response


@pytest.fixture(scope="module")
def over_grpc(tiny_model):
    """A gRPC server; `address` is where it is."""
    servicer = OverGrpc(tiny_model / "2")
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(servicer, server)
    servicer.address = f"grpc://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(None)


@pytest.fixture(params=["rest", "grpc"])
def address(request, served, over_grpc) -> str:
    return served.url if request.param == "rest" else over_grpc.address


@pytest.fixture(autouse=True)
def naps(monkeypatch) -> list[float]:
    """The waits between two tries; nobody waits."""
    slept: list[float] = []
    monkeypatch.setattr(client_module.time, "sleep", slept.append)
    return slept


def test_answers_come_in_the_order_of_the_texts(address):
    texts = ["good " * (n % 3) + "bad " * (n % 2) for n in range(7)]
    with Client(address, model="tiny", batch_size=3) as client:
        answers = client.predict(texts)
        alone = [client.predict([text])[0] for text in texts]
    assert [answer["label"] for answer in answers] == [answer["label"] for answer in alone]
    for answer, other in zip(answers, alone, strict=True):
        assert answer["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
        assert set(answer) == {"label", "score", "probabilities"}


def test_any_signature_can_be_called(address):
    with Client(address, model="tiny") as client:
        outputs = client.call("token_ids", token_ids=[[1, 2], [0, 0]])
        assert client.call("version", text=["a"])["version"].tolist() == [2]
        joined = client.call("pair", text=["a"], pair=["b"])
    np.testing.assert_allclose(outputs["logits"], [[0, 3], [0, 0]])
    assert joined == {"joined": np.array(["ab"])}


def test_refusal_says_its_code(address):
    with Client(address, model="nope") as client, pytest.raises(ServingError) as refused:
        client.predict(["a"])
    assert refused.value.code == "NOT_FOUND"
    assert refused.value.message == "Servable not found for request: Latest(nope)"


def test_label_and_version_are_sent(served, over_grpc):
    with Client(served.url, model="tiny", label="stable") as client:
        assert client.call("version", text=["a"])["version"].tolist() == [1]
    with Client(served.url, model="tiny", version=1) as client:
        assert client.call("version", text=["a"])["version"].tolist() == [1]
    for given in ({"label": "stable"}, {"version": 7}):
        with Client(over_grpc.address, model="tiny", **given) as client:
            client.predict(["a"])
    by_label, by_version = (request.model_spec for request in over_grpc.requests[-2:])
    assert by_label.version_label == "stable"
    assert by_version.version.value == 7


def test_what_passes_is_tried_again_with_growing_waits(over_grpc, naps):
    over_grpc.failing = [grpc.StatusCode.UNAVAILABLE] * 3
    with Client(over_grpc.address, model="tiny") as client:
        assert client.predict(["good"])[0]["label"] == "positive"
    assert len(naps) == 3
    for nap, most in zip(naps, (0.1, 0.2, 0.4), strict=True):
        assert most / 2 <= nap <= most


def test_retries_have_an_end(over_grpc, naps):
    over_grpc.failing = [grpc.StatusCode.UNAVAILABLE] * 3
    with (
        Client(over_grpc.address, model="tiny", retries=2) as client,
        pytest.raises(ServingError, match="UNAVAILABLE: not now"),
    ):
        client.predict(["good"])
    assert len(naps) == 2


def test_what_does_not_pass_is_not_tried_again(over_grpc, naps):
    over_grpc.failing = [grpc.StatusCode.INVALID_ARGUMENT]
    with (
        Client(over_grpc.address, model="tiny") as client,
        pytest.raises(ServingError, match="INVALID_ARGUMENT"),
    ):
        client.predict(["good"])
    assert naps == []


def test_server_that_is_not_there_is_unavailable(naps):
    with (
        Client("http://127.0.0.1:9", model="tiny", retries=1) as client,
        pytest.raises(ServingError) as refused,
    ):
        client.predict(["good"])
    assert refused.value.code == "UNAVAILABLE"
    assert len(naps) == 1


def test_deadline_is_that_of_all_tries(over_grpc, monkeypatch):
    over_grpc.failing = [grpc.StatusCode.UNAVAILABLE] * 9
    monkeypatch.undo()  # waits are real here
    began = time.monotonic()
    with (
        Client(over_grpc.address, model="tiny", deadline=0.3, retries=9) as client,
        pytest.raises(ServingError),
    ):
        client.predict(["good"])
    assert time.monotonic() - began < 5
    over_grpc.failing.clear()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"deadline": 0}, "deadline must be positive. Received: 0."),
        ({"retries": -1}, "retries must be at least 0. Received: -1."),
        ({"batch_size": 0}, "batch_size must be at least 1. Received: 0."),
        ({"version": 1, "label": "a"}, "label must not stand beside version. Received: 'a'."),
    ],
)
def test_argument_out_of_bounds_is_told(given, told):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Client("http://host", model="m", **given)
    assert str(error.value) == told


def test_address_of_another_kind_is_told():
    with pytest.raises(ValueError, match="address must begin with"):
        Client("host:8501", model="m")
