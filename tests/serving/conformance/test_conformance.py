"""Requests of TensorFlow Serving's REST documentation, sent to each server there is."""

import json
import math
import pathlib
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
import requests

CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server(request) -> Iterator[str]:
    """Return the address of the server that `conftest.py` chose."""
    if request.param == "ftkeras":
        yield request.getfixturevalue("served").url
    elif request.param == "target":
        yield request.config.getoption("--target")
    else:
        yield from _model_server(request.getfixturevalue("tiny_model").parent)


def _model_server(folder: pathlib.Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("", 0)) as other:
        port, grpc_port = free.getsockname()[1], other.getsockname()[1]
    config = f"--model_config_file={folder / 'models.config'}"
    labels = "--allow_version_labels_for_unavailable_models=true"
    process = subprocess.Popen(
        [
            *("tensorflow_model_server", f"--rest_api_port={port}", f"--port={grpc_port}"),
            *(config, labels),
        ]
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            if requests.get(f"{url}/v1/models/tiny/versions/1", timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError("tensorflow_model_server does not answer")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_response_is_tensorflow_servings(server, case):
    body = json.dumps(case["json"]) if "json" in case else case.get("raw")
    url = f"{server}/v1/models{case['path']}"
    response = requests.request(case["method"], url, data=body, timeout=30)
    assert response.status_code == case["status"], response.text
    assert response.headers["Content-Type"].startswith("application/json")
    answer = json.loads(response.content)
    if "answer" in case:
        assert _equal(answer, case["answer"]), answer
    if "has" in case:
        assert all(_contains(answer, name, value) for name, value in case["has"].items()), answer
    if "error" in case:
        assert set(answer) == {"error"}
        assert case["error"] in answer["error"]


def _contains(answer, name: str, value) -> bool:
    """Return whether a member with this name and value is anywhere in an answer."""
    if isinstance(answer, list):
        return any(_contains(item, name, value) for item in answer)
    if isinstance(answer, dict):
        if name in answer and _equal(answer[name], value):
            return True
        return any(_contains(item, name, value) for item in answer.values())
    return False


def _equal(got, wanted) -> bool:
    """Return whether two answers are equal, floats to 1e-5.

    The strings 'NaN', 'Infinity' and '-Infinity' stand for those floats.
    """
    if isinstance(got, float) and isinstance(wanted, str):
        return repr(got) == repr(float(wanted))
    if isinstance(wanted, float):
        return isinstance(got, float) and math.isclose(got, wanted, abs_tol=1e-5)
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(_equal, got, wanted))
    if isinstance(wanted, dict):
        return set(got) == set(wanted) and all(_equal(got[k], wanted[k]) for k in wanted)
    return type(got) is type(wanted) and got == wanted
