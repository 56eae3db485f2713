"""Limits, errors, metrics and shutdown of the server, beyond the API's documentation."""

import contextlib
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import requests
import tensorflow as tf

from ftkeras.config.serving import ServeConfig
from ftkeras.errors import UserError
from ftkeras.serving import startup
from ftkeras.verbs import serve
from tests.serving import tiny
from tests.serving.live import live

ONE = {"instances": ["good"]}


@pytest.mark.parametrize("size", [250_000, 10_000_000])
def test_body_that_is_too_large_is_refused(served, size):
    response = served.post("tiny:predict", {"instances": ["a" * size]})
    assert response.status_code == 413
    assert "200,000 bytes" in response.json()["error"]
    assert served.post("tiny:predict", ONE).ok


@pytest.mark.parametrize("members", [1, 2])
def test_gzip_is_decompressed(served, members):
    body = json.dumps(ONE).encode()
    at = len(body) // members
    packed = b"".join(map(gzip.compress, (body[:at], body[at:])))
    response = served.post("tiny:predict", packed, headers={"Content-Encoding": "gzip"})
    assert response.json()["predictions"][0]["label"] == "positive"


def test_gzip_that_decompresses_to_too_much_is_refused(served):
    packed = gzip.compress(b" " * 50_000_000)
    response = served.post("tiny:predict", packed, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 413


def test_request_that_the_queue_can_never_hold_is_invalid(served):
    response = served.post("tiny:predict", {"instances": ["good"] * 3201})
    assert response.status_code == 400
    assert "at most 3,200 rows" in response.json()["error"]
    assert "Received: 3,201" in response.json()["error"]
    largest = served.post("tiny:predict", {"instances": ["good"] * 3200})
    assert len(largest.json()["predictions"]) == 3200


@pytest.mark.parametrize("cut", [0, 4, 8, 12])
@pytest.mark.parametrize("more", [b"", b"none"])
def test_invalid_gzip_is_refused(served, cut, more):
    packed = gzip.compress(json.dumps(ONE).encode())
    sent = packed[: len(packed) - cut] + more if cut or more else b"none"
    response = served.post("tiny:predict", sent, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("Body is not complete gzip: ")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"instances": ["\xff\xfe good"]}', 200),
        (b'{"instances": ["\\ud800"]}', 400),
        (b"\xff\xfe", 400),
        (b'{"instances": ' + b"[" * 100_000, 400),
        (b'{"instances": ' + b"[" * 900 + b"]" * 900 + b"}", 400),
        (b'{"signature_name": "token_ids", "instances": [[' + b"9" * 5000 + b"]]}", 400),
        (b'{"instances": [""]}', 200),
        (b'{"instances": ["\\u0000"]}', 200),
        (b'{"instances": ["' + b"good " * 30_000 + b'"]}', 200),
        (b'{"inputs": "good"}', 400),
        (b'{"inputs": []}', 400),
        (b'{"inputs": null}', 400),
        (b'{"signature_name": "pair", "inputs": {"text": ["a"], "pair": ["b", "c"]}}', 400),
        (b'{"signature_name": "", "instances": ["good"]}', 200),
    ],
)
def test_odd_bodies_are_answered(served, body, status):
    response = served.post("tiny:predict", body)
    assert response.status_code == status, response.content[:300]
    assert ("error" in json.loads(response.content)) == (status != 200)


def test_client_gets_one_line_of_an_error_in_the_graph(tmp_path):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "ids")])
    def gather(ids):
        return {"y": tf.gather(tf.constant([1.0, 2.0]), ids)}

    tf.saved_model.save(tf.Module(), str(tmp_path / "m" / "1"), {"serving_default": gather})
    with live(tmp_path / "m") as server:
        response = server.post("m:predict", {"inputs": [1, 7]})
    assert response.status_code == 400
    assert response.json() == {"error": "indices[1] = 7 is not in [0, 2)"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("PUT", "v1/models/tiny", 400),
        ("GET", "v1/models/tiny/versions/1/other", 400),
        ("GET", "v1/models/t%69ny", 200),
        ("GET", "v1/models/tiny/versions/" + "0" * 30 + "2", 200),
    ],
)
def test_url_outside_the_api_is_answered(served, method, path, status):
    response = requests.request(method, f"{served.url}/{path}", timeout=30)
    assert response.status_code == status


def test_concurrent_clients_each_get_their_own_answer(served):
    texts = ["good " * (index % 5) + "bad " * (index % 3) for index in range(200)]
    wanted = [
        served.post("tiny:predict", {"instances": [text]}).json()["predictions"][0]
        for text in texts[:15]
    ]
    answers: dict[int, dict] = {}

    def ask(start: int) -> None:
        for index in range(start, len(texts), 8):
            response = served.post("tiny:predict", {"instances": [texts[index]]})
            answers[index] = response.json()["predictions"][0]

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(len(texts)):
        got, known = answers[index], wanted[index % 15]
        assert got["label"] == known["label"]
        assert got["probabilities"] == pytest.approx(known["probabilities"], abs=1e-6)


def test_client_that_disconnects_does_not_affect_others(served):
    host, port = served.url.removeprefix("http://").split(":")
    request = b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    for _ in range(20):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request)
    assert served.post("tiny:predict", ONE).ok


def test_metrics_have_tensorflow_servings_names(served):
    served.post("tiny:predict", ONE)
    served.post("tiny:predict", b"")
    page = served.get("monitoring/prometheus/metrics").text
    assert served.get("metrics").headers["Content-Type"].startswith("text/plain")
    for line in (
        r':tensorflow:serving:request_count{model_name="tiny",status="OK"} \d',
        r':tensorflow:serving:request_count{model_name="tiny",status="INVALID_ARGUMENT"} \d',
        r':tensorflow:serving:request_latency_count{API="predict",.*model_name="tiny"} \d',
        r":tensorflow:serving:batching_session:queuing_latency_count{.*} \d",
    ):
        assert re.search(line, page), line


def test_no_request_fails_while_a_new_version_is_loaded(tiny_model, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_model / "1", folder / "1")
    body, seen, stop = {"signature_name": "version", "instances": ["a"]}, [], threading.Event()
    with live(folder) as server:
        server.service.versions.watch(0.05)

        def ask() -> None:
            while not stop.wait(0.05):  # else loading takes long
                seen.append(server.post("tiny:predict", body))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        shutil.copytree(tiny_model / "2", folder / ".2")
        (folder / ".2").rename(folder / "2")
        end = time.monotonic() + 30
        while server.service.versions.status()[-1]["state"] != "END" and time.monotonic() < end:
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        last = server.post("tiny:predict", body).json()
    assert {response.status_code for response in seen} == {200}
    assert seen[0].json() == {"predictions": [1]}
    assert last == {"predictions": [2]}


def test_request_beyond_the_timeout_gets_504(tiny_model):
    with live(tiny_model, timeout=0.0001) as server:
        response = server.post("tiny:predict", ONE)
    assert response.status_code == 504


def test_without_batches_the_answers_are_the_same(tiny_model, served):
    with live(tiny_model, batching="none") as server:
        assert server.post("tiny:predict", ONE).json() == served.post("tiny:predict", ONE).json()


@contextlib.contextmanager
def _serve(*arguments) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "ftkeras.main", "serve", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.process
def test_sigterm_stops_the_server_after_pending_requests_are_answered(tiny_model, tmp_path):
    slow = tmp_path / "batching.config"
    slow.write_text("batch_timeout_micros { value: 1500000 } num_batch_threads { value: 1 }")
    with _serve(f"--model={tiny_model}", "--port=0", f"--batching={slow}") as process:
        url = process.stdout.readline().split()[1]
        answers: list[requests.Response] = []

        def ask() -> None:
            answers.append(requests.post(f"{url}v1/models/tiny:predict", json=ONE, timeout=30))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.5)  # the request waits for others in its batch
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        asking.join()
    assert answers[0].status_code == 200
    assert process.returncode == 143
    assert "ftkeras: stopped." in errors
    assert "Traceback" not in errors


def test_port_in_use_is_named(tiny_model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port={port}: Address"):
            serve.run(ServeConfig(model=str(tiny_model), port=port))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"port": 70_000}, "`port` must be between 0 and 65535. Received: 70000."),
        ({"timeout": 0.0}, "`timeout` must be positive. Received: 0.0."),
        ({"label": ("stable",)}, "`label` must read NAME=VERSION. Received: stable."),
        (
            {"label": ("stable=1", "stable=2")},
            "`label` must give each name one version. Received: stable=1, stable=2.",
        ),
    ],
)
def test_argument_out_of_bounds_is_named(given, message):
    with pytest.raises(UserError) as error:
        ServeConfig(model="m", **given)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "label=stable=7: model=.*tiny has no version 7; name one that it has."),
        (2, "label=stable=7 is for a folder of versions; model=.*2 is one version."),
    ],
)
def test_label_that_can_not_be_served_is_refused(tiny_model, version, message):
    settings = {"batching": "none", "timeout": 1, "max_batch_bytes": 1, "version": version}
    with pytest.raises(UserError, match=message):
        startup.build_service("tiny", tiny_model, labels={"stable": 7}, **settings)


def test_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(UserError, match="model=.*holds no versions"):
        serve.run(ServeConfig(model=str(tmp_path)))


def test_model_that_can_not_be_loaded_is_an_error(tmp_path):
    broken = tmp_path / "broken" / "1"
    broken.mkdir(parents=True)
    (broken / "saved_model.pb").write_bytes(b"none")
    with pytest.raises(UserError, match="can't be served"), live(broken.parent):
        pass


def test_broken_version_is_reported_and_the_old_one_keeps_answering(tiny_model, tmp_path, capsys):
    shutil.copytree(tiny_model / "1", tmp_path / "tiny" / "1")
    with live(tmp_path / "tiny") as server:
        tiny.save(tmp_path / "tiny", 3)
        (tmp_path / "tiny" / "3" / "saved_model.pb").write_bytes(b"none")
        server.service.versions.refresh()
        assert server.post("tiny:predict", ONE).ok
    assert "version 3 can't be loaded" in capsys.readouterr().err
