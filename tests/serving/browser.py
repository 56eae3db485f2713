"""A headless Chromium, driven over the WebDriver protocol by plain HTTP."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
import requests

# The protocol's own name for the key under which an element's id stands.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A window.

    Args:
        session: the URL of its WebDriver session.
    """

    def __init__(self, session: str):
        self._session = session

    def _do(self, path: str, **body):
        answer = requests.post(f"{self._session}/{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["value"]

    def open(self, url: str) -> None:
        """Opens a page, and waits until it has loaded."""
        self._do("url", url=url)

    def run(self, script: str, *arguments):
        """What a function with that body returns, or resolves to."""
        return self._do("execute/sync", script=script, args=list(arguments))

    def type(self, css: str, text: str) -> None:
        """Types into a field as a person does, key by key."""
        found = self._do("element", using="css selector", value=css)[ELEMENT]
        self._do(f"element/{found}/clear")
        self._do(f"element/{found}/value", text=text)

    def click(self, css: str) -> None:
        """Clicks where a person would."""
        found = self._do("element", using="css selector", value=css)[ELEMENT]
        self._do(f"element/{found}/click")

    def wait(self, condition: str, seconds: float = 30):
        """Waits until an expression is true, and returns it."""
        end = time.monotonic() + seconds
        while not (value := self.run(f"return ({condition})")):
            assert time.monotonic() < end, f"never came: {condition}"
            time.sleep(0.05)
        return value

    def log(self) -> list[str]:
        """What the page has written to the console, errors first of all."""
        return [entry["message"] for entry in self._do("se/log", type="browser")]

    def screenshot(self) -> str:
        """A PNG of the window, as base64."""
        answer = requests.get(f"{self._session}/screenshot", timeout=60)
        return answer.json()["value"]


@contextlib.contextmanager
def browser(*arguments: str) -> Iterator[Browser]:
    """A browser for a while; skips the test where there is none."""
    driver = shutil.which("chromedriver")
    if driver is None:
        pytest.skip("needs Chromium and its chromedriver")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL) as process:
        try:
            yield Browser(_session(f"http://127.0.0.1:{port}", arguments))
        finally:
            process.terminate()


def _session(url: str, arguments: tuple[str, ...]) -> str:
    options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", *arguments]}
    wanted = {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    for _ in range(100):
        with contextlib.suppress(requests.ConnectionError):
            body = {"capabilities": {"alwaysMatch": wanted}}
            answer = requests.post(f"{url}/session", json=body, timeout=60)
            assert answer.ok, answer.text
            return f"{url}/session/{answer.json()['value']['sessionId']}"
        time.sleep(0.1)
    raise AssertionError("chromedriver does not answer")
