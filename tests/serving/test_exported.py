"""Serving a model as ftkeras exports it: every signature, and every kind of client."""

import http.client
import json
import random
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from tests.exporters import small
from tests.serving.browser import browser
from tests.serving.live import Live, live

TEXTS = [text.decode("utf-8", "replace") for text in small.TEXTS]
MODEL = "served"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return the model's probabilities, and the folder of its versions."""
    model, layer = small.model(layers=1), small.text_layer()
    folder = small.run_dir(tmp_path_factory.mktemp("run"), model, layer, small.TEXTS)
    exporter = small.exporter(folder, model, layer, explain=True, steps=4)
    # The check that ends an export is tested elsewhere.
    exporter._save(exporter._served(dtype="float32", quantization=None), folder / MODEL / "1")
    return small.probabilities(model, layer, small.TEXTS), folder / MODEL


@pytest.fixture(scope="module")
def statistics(tmp_path_factory):
    return tmp_path_factory.mktemp("statistics") / "answers.jsonl"


@pytest.fixture(scope="module")
def server(exported, statistics) -> Iterator[Live]:
    with live(exported[1], log_statistics=str(statistics), statistics_seconds=0.2) as running:
        yield running


def test_answers_are_counted_without_texts(server, exported, statistics):
    server.post(f"{MODEL}:predict", {"instances": TEXTS})
    deadline = time.monotonic() + 30
    while not (written := statistics.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    line = json.loads(written.splitlines()[0])
    chosen = Counter(small.LABELS[p.argmax()] for p in exported[0])
    ids = small.text_layer()(small.TEXTS)["token_ids"].to_list()
    assert (line["model"], line["version"], line["dropped"]) == (MODEL, 1, 0)
    assert (line["texts"], line["labels"]) == (len(TEXTS), dict(chosen))
    for name, values in (("confidence", exported[0].max(axis=1)), ("tokens", map(len, ids))):
        bins = line[name]
        assert bins["counts"] == np.histogram(list(values), bins["edges"])[0].tolist()
    assert sum(line["unknown_share"]["counts"]) == len(TEXTS)
    assert "waste" not in written


def test_probabilities_are_those_of_the_keras_model(server, exported):
    answers = server.post(f"{MODEL}:predict", {"instances": TEXTS}).json()["predictions"]
    np.testing.assert_allclose([a["probabilities"] for a in answers], exported[0], atol=1e-5)
    assert [a["label"] for a in answers] == [small.LABELS[p.argmax()] for p in exported[0]]


def test_classify_gives_the_same_probabilities(server, exported):
    body = {"signature_name": "classify", "examples": [{"text": text} for text in TEXTS]}
    results = server.post(f"{MODEL}:classify", body).json()["results"]
    np.testing.assert_allclose([[s for _, s in r] for r in results], exported[0], atol=1e-5)
    assert [name for name, _ in results[0]] == list(small.LABELS)


def test_every_signature_answers(server):
    signatures = server.get(f"v1/models/{MODEL}/metadata").json()["metadata"]["signature_def"]
    named = set(signatures["signature_def"]) - {"__saved_model_init_op"}
    assert named == {
        *("serving_default", "token_ids", "classify", "embed", "explain", "token_counts"),
    }
    for name in ("embed", "explain"):
        body = {"signature_name": name, "instances": TEXTS}
        assert len(server.post(f"{MODEL}:predict", body).json()["predictions"]) == len(TEXTS)


def test_explanations_of_texts_of_different_lengths_share_a_response(server):
    texts = [TEXTS[0]] * 32 + ["the movie " * 30]
    body = {"signature_name": "explain", "instances": texts}
    rows = server.post(f"{MODEL}:predict", body).json()["predictions"]
    assert len({len(row["tokens"]) for row in rows}) == 1
    assert rows[0]["tokens"][0] == rows[32]["tokens"][0] == "[CLS]"


def test_page_shows_the_attributions_of_the_explain_signature(server):
    with browser() as page:
        page.open(f"{server.url}/")
        page.wait(f"document.title.startsWith('{MODEL}')")
        page.type("#text", "Worth every minute.")
        page.click("#send")
        page.wait("document.querySelectorAll('#words span').length > 0")
        words = page.run("return document.querySelector('#words').textContent")
        spoken = page.run("return document.querySelector('#spoken').textContent")
    assert words == "Worth every minute."
    assert spoken.startswith("Strongest: ")


class Traffic:
    """Clients that send valid, invalid and odd requests, and that disconnect."""

    def __init__(self, server: Live, wanted: np.ndarray):
        self.server, self.wanted = server, wanted
        self.host, self.port = server.url.removeprefix("http://").split(":")
        self.seen: Counter = Counter()
        self.wrong: list[str] = []
        self.stop = threading.Event()

    def run(self, seed: int) -> None:
        """Send requests until stopped."""
        rng = random.Random(seed)
        kinds = (self.valid, self.valid, self.invalid, self.odd, self.disconnect)
        while not self.stop.is_set():
            rng.choice(kinds)(rng)

    def valid(self, rng: random.Random) -> None:
        index = rng.randrange(len(TEXTS))
        status, answer = self._ask({"instances": [TEXTS[index]]})
        got = answer["predictions"][0]["probabilities"] if status == 200 else [0]
        if status != 200 or np.abs(np.subtract(got, self.wanted[index])).max() > 1e-5:
            self.wrong.append(f"{TEXTS[index]!r} got {status} {answer}")

    def invalid(self, rng: random.Random) -> None:
        bodies = [b"{", b'{"instances": [1]}', b'{"instances": {}}', b'{"signature_name": 1}', b""]
        self._expect(400, rng.choice(bodies))

    def odd(self, rng: random.Random) -> None:
        texts = ["", "x" * 100_000, "\u0000", "好" * 5000, "🙂 " * 100]
        self._expect(200, json.dumps({"instances": [rng.choice(texts)]}).encode())
        self._expect(200, b'{"instances": ["\xff\xfe\xc3"]}')
        if rng.random() < 0.1:
            self._expect(413, b"x" * 10_000_000)

    def disconnect(self, rng: random.Random) -> None:
        body = json.dumps({"instances": [TEXTS[0]]}).encode()
        with socket.create_connection((self.host, int(self.port))) as connection:
            head = f"POST /v1/models/{MODEL}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: "
            whole = f"{head}{len(body)}\r\n\r\n".encode() + body
            connection.sendall(whole[: rng.randrange(len(whole) + 1)])
        self.seen["disconnected"] += 1

    def _expect(self, status: int, body: bytes) -> None:
        got, answer = self._ask(body)
        if got != status:
            self.wrong.append(f"{body[:50]!r} got {got}, not {status}: {answer}")

    def _ask(self, body) -> tuple[int, dict]:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=60)
        connection.request("POST", f"/v1/models/{MODEL}:predict", sent)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        self.seen[response.status] += 1
        return response.status, answer


@pytest.mark.process
def test_faulty_clients_do_not_affect_others_while_versions_change(exported, tmp_path):
    wanted, folder = exported
    shutil.copytree(folder / "1", tmp_path / MODEL / "1")
    with live(tmp_path / MODEL) as server:
        server.service.versions.watch(0.1)
        traffic = Traffic(server, wanted)
        threads = [threading.Thread(target=traffic.run, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        shutil.copytree(folder / "1", tmp_path / MODEL / ".2")
        (tmp_path / MODEL / ".2").rename(tmp_path / MODEL / "2")
        end = time.monotonic() + 60
        while server.service.versions.status()[-1]["state"] != "END" and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1)
        traffic.stop.set()
        for thread in threads:
            thread.join()
        assert server.service.versions.available() == [2]
    assert traffic.wrong == []
    assert set(traffic.seen) >= {200, 400, "disconnected"}
