"""A server of ours in a thread, on a free port."""

import contextlib
import pathlib
import threading
import time
from collections.abc import Iterator

import requests
import uvicorn

from ftkeras.config.serving import ServeConfig
from ftkeras.serving import rest
from ftkeras.serving.service import Service
from ftkeras.verbs import serve


class Live:
    """A running server.

    Attributes:
        url: its address.
        service: what answers.
    """

    def __init__(self, url: str, service: Service):
        self.url, self.service = url, service

    def post(self, path: str, body, **options) -> requests.Response:
        """Posts JSON, or bytes as they are, to a path below `/v1/models/`."""
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        return requests.post(f"{self.url}/v1/models/{path}", timeout=60, **sent, **options)

    def get(self, path: str) -> requests.Response:
        """Gets a path, from the root."""
        return requests.get(f"{self.url}/{path}", timeout=60)


@contextlib.contextmanager
def live(folder: pathlib.Path, **config) -> Iterator[Live]:
    """Serves what lies in `folder`, as `ServeConfig(**config)` says."""
    config = ServeConfig(model=str(folder), port=0, **config)
    service = serve.build(config, config.name or folder.name, folder)
    app = rest.application(service, max_request_bytes=config.max_request_bytes)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Live(f"http://127.0.0.1:{port}", service)
    finally:
        server.should_exit = True
        thread.join()
