"""The Python client, over REST and gRPC."""

import concurrent.futures
import http.server
import math
import sys
import threading
import time
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from ftkeras.errors import UserError
from ftkeras.serving import client as client_module
from ftkeras.serving.client import Client, ServingError


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """TensorFlow Serving's PredictionService for a loaded SavedModel.

    Attributes:
        requests: The requests received.
        failures: Errors to answer with, a code and details each, the last one first.
    """

    def __init__(self, folder):
        self.signatures = tf.saved_model.load(str(folder)).signatures
        self.requests, self.failures = [], []

    def Predict(self, request, context):  # noqa: N802  gRPC's name
        self.requests.append(request)
        if self.failures:
            context.abort(*self.failures.pop())
        if request.model_spec.name != "tiny":
            wanted = f"Servable not found for request: Latest({request.model_spec.name})"
            context.abort(grpc.StatusCode.NOT_FOUND, wanted)
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        outputs = self.signatures[request.model_spec.signature_name](**tensors)
        response = predict_pb2.PredictResponse()
        for name, tensor in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(tensor))
        return response


@pytest.fixture(scope="module")
def over_grpc(tiny_model) -> Iterator[PredictionService]:
    """Run a gRPC server; `address` is its address."""
    servicer = PredictionService(tiny_model / "2")
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(servicer, server)
    servicer.address = f"grpc://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(None)


class Fixed(http.server.BaseHTTPRequestHandler):
    """Answer every request with the server's `answer`: a status and a body."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture(scope="module")
def fixed() -> Iterator[http.server.HTTPServer]:
    """Run an HTTP server that is no model server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fixed)
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["rest", "grpc"])
def address(request, served, over_grpc) -> str:
    return served.url if request.param == "rest" else over_grpc.address


@pytest.fixture(autouse=True)
def waits(monkeypatch) -> list[float]:
    """Record the waits between attempts instead of waiting."""
    recorded: list[float] = []
    monkeypatch.setattr(client_module.time, "sleep", recorded.append)
    return recorded


def test_answers_are_in_the_order_of_the_texts(address):
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


def test_text_arrives_unchanged(address):
    texts = ["a\0", "普通 🙂", 'with "quotes"\n']
    with Client(address, model="tiny") as client:
        joined = client.call("pair", text=texts, pair=["", "", ""])["joined"]
    assert joined.tolist() == texts


def test_bytes_can_be_sent(address):
    with Client(address, model="tiny") as client:
        assert client.call("pair", text=[b"a"], pair=[b"b"])["joined"].tolist() == ["ab"]


def test_refusal_has_its_code(address):
    with Client(address, model="nope") as client, pytest.raises(ServingError) as refused:
        client.predict(["a"])
    assert refused.value.code == "NOT_FOUND"
    assert refused.value.message == "Servable not found for request: Latest(nope)"


def test_name_of_a_model_is_escaped(served):
    with (
        Client(served.url, model="a b:c", retries=0) as client,
        pytest.raises(ServingError, match=r"Latest\(a b:c\)"),
    ):
        client.predict(["a"])


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


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"<html>Not\nfound</html>", "NOT_FOUND: HTTP 404 Not Found: <html>Not found</html>"),
        (403, b"", "PERMISSION_DENIED: HTTP 403 Forbidden"),
        (400, b'["a list"]', 'INVALID_ARGUMENT: HTTP 400 Bad Request: ["a list"]'),
        (500, b'{"error": "broken"}', "INTERNAL: broken"),
        (418, b"{}", "UNKNOWN: HTTP 418 I'm a Teapot: {}"),
        (200, b"<html>", "UNKNOWN: no outputs in the response: HTTP 200 OK: <html>"),
        (200, b"[1]", "UNKNOWN: no outputs in the response: HTTP 200 OK: [1]"),
        (200, b"\xff", "UNKNOWN: no outputs in the response: HTTP 200 OK"),
        (200, b'{"outputs": [1]}', "UNKNOWN: no metadata in the response"),
        (200, b'{"outputs": 1, "metadata": []}', "UNKNOWN: the metadata does not describe"),
    ],
)
def test_response_that_is_not_the_apis_is_an_error_and_is_not_retried(
    fixed, waits, status, body, error
):
    fixed.answer = status, body
    with Client(fixed.url, model="tiny") as client, pytest.raises(ServingError) as raised:
        client.predict(["good"])
    assert str(raised.value).startswith(error)
    assert waits == []


@pytest.mark.parametrize("status", [429, 502, 503])
def test_response_of_a_busy_server_is_retried_whatever_its_body(fixed, waits, status):
    fixed.answer = status, b"<html>Try again</html>"
    with Client(fixed.url, model="tiny") as client, pytest.raises(ServingError, match="Try again"):
        client.predict(["good"])
    assert len(waits) == 3


def test_unavailable_server_is_retried_with_growing_waits(over_grpc, waits):
    over_grpc.failures = [(grpc.StatusCode.UNAVAILABLE, "not now")] * 3
    with Client(over_grpc.address, model="tiny") as client:
        assert client.predict(["good"])[0]["label"] == "positive"
    assert len(waits) == 3
    for wait, longest in zip(waits, (0.1, 0.2, 0.4), strict=True):
        assert longest / 2 <= wait <= longest


def test_retries_end(over_grpc, waits):
    over_grpc.failures = [(grpc.StatusCode.UNAVAILABLE, "not now")] * 3
    with (
        Client(over_grpc.address, model="tiny", retries=2) as client,
        pytest.raises(ServingError, match="UNAVAILABLE: not now"),
    ):
        client.predict(["good"])
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "not now"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (5 vs. 4)"),
    ],
)
def test_error_that_does_not_pass_is_not_retried(over_grpc, waits, code, details):
    over_grpc.failures = [(code, details)]
    with (
        Client(over_grpc.address, model="tiny") as client,
        pytest.raises(ServingError, match=code.name),
    ):
        client.predict(["good"])
    assert waits == []


def test_server_that_can_not_be_reached_is_unavailable(waits):
    with (
        Client("http://127.0.0.1:9", model="tiny", retries=1) as client,
        pytest.raises(ServingError) as refused,
    ):
        client.predict(["good"])
    assert refused.value.code == "UNAVAILABLE"
    assert len(waits) == 1


def test_deadline_includes_all_attempts(over_grpc, monkeypatch):
    over_grpc.failures = [(grpc.StatusCode.UNAVAILABLE, "not now")] * 9
    monkeypatch.undo()  # waits are real here
    start = time.monotonic()
    with (
        Client(over_grpc.address, model="tiny", deadline=0.3, retries=9) as client,
        pytest.raises(ServingError),
    ):
        client.predict(["good"])
    assert time.monotonic() - start < 5
    over_grpc.failures.clear()


@pytest.mark.parametrize(
    ("error", "texts", "message"),
    [
        (TypeError, ["a", 3], r"texts\[1\] must be a string. Received: 3."),
        (TypeError, [b"a"], r"texts\[0\] must be a string. Received: b'a'."),
        (TypeError, [None], r"texts\[0\] must be a string. Received: None."),
        (TypeError, "good", "`texts` must be a list of strings. Received: 'good'."),
    ],
)
def test_text_that_is_no_string_is_refused_before_it_is_sent(address, error, texts, message):
    with Client(address, model="tiny") as client, pytest.raises(error, match=message):
        client.predict(texts)


def test_pair_that_is_no_string_is_refused(address):
    with (
        Client(address, model="tiny") as client,
        pytest.raises(TypeError, match=r"pairs\[0\] must be a string"),
    ):
        client.predict(["a"], pairs=[3])


def test_pairs_of_another_number_are_refused_even_if_a_batch_would_fit(address):
    with (
        Client(address, model="tiny", batch_size=2) as client,
        pytest.raises(ValueError, match="`pairs` must be as long as `texts`, 2. Received: 3."),
    ):
        client.predict(["a", "b"], pairs=["a", "b", "c"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"deadline": 0}, "`deadline` must be positive and finite. Received: 0."),
        ({"deadline": math.inf}, "`deadline` must be positive and finite. Received: inf."),
        ({"deadline": math.nan}, "`deadline` must be positive and finite. Received: nan."),
        ({"retries": -1}, "`retries` must be at least 0. Received: -1."),
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: 0."),
        (
            {"version": 1, "label": "a"},
            "`label` and `version` can't be combined. Received: 'a' and 1.",
        ),
    ],
)
def test_argument_out_of_bounds_is_named(given, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Client("http://host", model="m", **given)
    assert str(error.value) == message


@pytest.mark.parametrize("deadline", [1e10, 1e300])
def test_deadline_may_be_longer_than_a_socket_can_wait(address, deadline):
    with Client(address, model="tiny", deadline=deadline) as client:
        assert client.predict(["good"])[0]["label"] == "positive"


def test_address_without_a_known_scheme_is_refused():
    with pytest.raises(ValueError, match="`address` must start with"):
        Client("host:8501", model="m")


@pytest.mark.parametrize(
    ("scheme", "missing", "extra"),
    [
        ("http", "requests", "client"),
        ("grpc", "grpc", "grpc"),
        ("grpc", "tensorflow_serving.apis", "grpc"),
    ],
)
def test_missing_package_names_the_extra(monkeypatch, scheme, missing, extra):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UserError, match=rf"pip install 'ftkeras\[{extra}\]'"):
        Client(f"{scheme}://host:8501", model="m")


def test_numbers_are_returned_with_their_names(served_numbers):
    with Client(served_numbers.url, model="scores") as client:
        good, bad = client.predict(["good", "bad"])
    assert good["values"][0] == 4.0
    assert bad["values"][0] == 2.0
    assert good["names"][0] == "score"
    assert len(good["names"]) == len(good["values"])


@pytest.mark.process
def test_labels_are_returned_with_all_probabilities(served_decisions):
    with Client(served_decisions.url, model="moods") as client:
        good, none = client.predict(["good good", "good bad bad"])
    assert good["labels"] == ["nice", "", ""]
    assert none["labels"] == ["nasty", "", ""]
    assert good["names"] == ["nice", "nasty", "long"]
    assert good["thresholds"] == pytest.approx([0.6, 0.3, 0.9])
    assert good["probabilities"] == pytest.approx([0.8808, 0.1192, 0.5], abs=1e-4)


@pytest.mark.process
def test_entities_are_returned_with_their_count(served_entities):
    with Client(served_entities.url, model="names") as client:
        found, nothing = client.predict(["🙂 Anna sings", "nobody sings"])
    assert (found["count"], nothing["count"]) == (1, 0)
    names = ("types", "texts", "starts", "ends")
    assert [found[name][0] for name in names] == ["PER", "Anna", 2, 6]
    assert found["types"][: found["count"]] == ["PER"]
    assert nothing["types"][: nothing["count"]] == []


def test_no_texts_have_no_answers():
    assert Client("http://localhost:1", model="m").predict([]) == []
