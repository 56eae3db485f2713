"""Drive a headless Chromium over the WebDriver protocol, which is plain HTTP."""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

# The key of an element's id in the protocol's JSON.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A browser window.

    Args:
        session: The URL of its WebDriver session.
    """

    def __init__(self, session: str):
        self._session = session

    def _do(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self._session}/{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["value"]

    def open(self, url: str) -> None:
        """Open a page, and wait until it has loaded."""
        self._do("url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a function with this body, and return its result or what its promise resolves to."""
        return self._do("execute/sync", script=script, args=list(arguments))

    def type(self, css: str, text: str) -> None:
        """Type into a field key by key."""
        found = self._do("element", using="css selector", value=css)[ELEMENT]
        self._do(f"element/{found}/clear")
        self._do(f"element/{found}/value", text=text)

    def upload(self, css: str, path: pathlib.Path) -> None:
        """Choose a file."""
        found = self._do("element", using="css selector", value=css)[ELEMENT]
        self._do(f"element/{found}/value", text=str(path))

    def click(self, css: str) -> None:
        """Click an element."""
        found = self._do("element", using="css selector", value=css)[ELEMENT]
        self._do(f"element/{found}/click")

    def wait(self, condition: str, seconds: float = 30) -> Any:
        """Wait until an expression is true, and return its value."""
        end = time.monotonic() + seconds
        while not (value := self.run(f"return ({condition})")):
            assert time.monotonic() < end, f"never true: {condition}"
            time.sleep(0.05)
        return value

    def log(self) -> list[str]:
        """Return the messages on the page's console."""
        return [entry["message"] for entry in self._do("se/log", type="browser")]

    def resize(self, width: int, height: int) -> None:
        """Show the page as a screen of this size does; a window is at least 500 pixels wide."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._do("goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params=size)

    def screenshot(self) -> str:
        """Return a PNG of the window as base64."""
        answer = requests.get(f"{self._session}/screenshot", timeout=60)
        return answer.json()["value"]


@contextlib.contextmanager
def browser(*arguments: str, downloads: pathlib.Path | None = None) -> Iterator[Browser]:
    """Open a browser; skip the test if none is installed.

    Args:
        *arguments: of Chromium.
        downloads: the folder of downloaded files.
    """
    driver = shutil.which("chromedriver")
    if driver is None:
        pytest.skip("needs Chromium and its chromedriver")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL) as process:
        try:
            yield Browser(_session(f"http://127.0.0.1:{port}", arguments, downloads))
        finally:
            process.terminate()


def _session(url: str, arguments: tuple[str, ...], downloads: pathlib.Path | None) -> str:
    options: dict[str, Any] = {
        "args": ["--headless=new", "--no-sandbox", "--disable-gpu", *arguments]
    }
    if downloads is not None:
        options["prefs"] = {"download.default_directory": str(downloads)}
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
