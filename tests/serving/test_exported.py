"""A model as ftkeras exports it, served: all signatures, all that clients may do."""

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
    """The model, and the folder of its first version."""
    model, layer = small.model(layers=1), small.text_layer()
    folder = small.run_dir(tmp_path_factory.mktemp("run"), model, layer, small.TEXTS)
    exporter = small.exporter(folder, model, layer, explain=True, steps=4)
    # Without the check in a process of its own that an export ends with: tested elsewhere.
    exporter._save(exporter._served(dtype="float32", quantization=None), folder / MODEL / "1")
    return small.probabilities(model, layer, small.TEXTS), folder / MODEL


@pytest.fixture(scope="module")
def server(exported) -> Iterator[Live]:
    with live(exported[1]) as running:
        yield running


def test_probabilities_are_those_of_the_keras_model(server, exported):
    answers = server.post(f"{MODEL}:predict", {"instances": TEXTS}).json()["predictions"]
    np.testing.assert_allclose([a["probabilities"] for a in answers], exported[0], atol=1e-5)
    assert [a["label"] for a in answers] == [small.LABELS[p.argmax()] for p in exported[0]]


def test_classify_says_the_same(server, exported):
    body = {"signature_name": "classify", "examples": [{"text": text} for text in TEXTS]}
    results = server.post(f"{MODEL}:classify", body).json()["results"]
    np.testing.assert_allclose([[s for _, s in r] for r in results], exported[0], atol=1e-5)
    assert [name for name, _ in results[0]] == list(small.LABELS)


def test_every_signature_answers(server):
    signatures = server.get(f"v1/models/{MODEL}/metadata").json()["metadata"]["signature_def"]
    named = set(signatures["signature_def"]) - {"__saved_model_init_op"}
    assert named == {"serving_default", "token_ids", "classify", "embed", "explain"}
    for name in ("embed", "explain"):
        body = {"signature_name": name, "instances": TEXTS}
        assert len(server.post(f"{MODEL}:predict", body).json()["predictions"]) == len(TEXTS)


def test_explanations_of_uneven_texts_are_put_together(server):
    texts = [TEXTS[0]] * 32 + ["the movie " * 30]
    body = {"signature_name": "explain", "instances": texts}
    rows = server.post(f"{MODEL}:predict", body).json()["predictions"]
    assert len({len(row["tokens"]) for row in rows}) == 1
    assert rows[0]["tokens"][0] == rows[32]["tokens"][0] == "[CLS]"


def test_page_shows_what_the_model_says_of_its_tokens(server):
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
    """Clients that do all that clients do, right and wrong."""

    def __init__(self, server: Live, wanted: np.ndarray):
        self.server, self.wanted = server, wanted
        self.host, self.port = server.url.removeprefix("http://").split(":")
        self.seen: Counter = Counter()
        self.wrong: list[str] = []
        self.stop = threading.Event()

    def run(self, seed: int) -> None:
        """Asks until it is told to stop."""
        draw = random.Random(seed)
        acts = (self.right, self.right, self.refused, self.odd, self.gone)
        while not self.stop.is_set():
            draw.choice(acts)(draw)

    def right(self, draw: random.Random) -> None:
        place = draw.randrange(len(TEXTS))
        status, answer = self._ask({"instances": [TEXTS[place]]})
        got = answer["predictions"][0]["probabilities"] if status == 200 else [0]
        if status != 200 or np.abs(np.subtract(got, self.wanted[place])).max() > 1e-5:
            self.wrong.append(f"{TEXTS[place]!r} got {status} {answer}")

    def refused(self, draw: random.Random) -> None:
        bodies = [b"{", b'{"instances": [1]}', b'{"instances": {}}', b'{"signature_name": 1}', b""]
        self._expect(400, draw.choice(bodies))

    def odd(self, draw: random.Random) -> None:
        texts = ["", "x" * 100_000, "\u0000", "好" * 5000, "🙂 " * 100]
        self._expect(200, json.dumps({"instances": [draw.choice(texts)]}).encode())
        self._expect(200, b'{"instances": ["\xff\xfe\xc3"]}')
        if draw.random() < 0.1:
            self._expect(413, b"x" * 10_000_000)

    def gone(self, draw: random.Random) -> None:
        body = json.dumps({"instances": [TEXTS[0]]}).encode()
        with socket.create_connection((self.host, int(self.port))) as connection:
            head = f"POST /v1/models/{MODEL}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: "
            whole = f"{head}{len(body)}\r\n\r\n".encode() + body
            connection.sendall(whole[: draw.randrange(len(whole) + 1)])
        self.seen["gone"] += 1

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


def test_faults_of_some_harm_no_others_while_versions_change(exported, tmp_path):
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
    assert set(traffic.seen) >= {200, 400, "gone"}
