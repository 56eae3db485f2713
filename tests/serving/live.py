"""A server of this package in a thread, on a free port."""

import contextlib
import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
import uvicorn

from ftkeras.config.serving import ServeConfig
from ftkeras.serving import rest, startup
from ftkeras.serving.page import examples
from ftkeras.serving.service import Service
from ftkeras.verbs.serve import MAX_BATCH_BYTES
from ftkeras.workflows import served_models


class Live:
    """A running server.

    Attributes:
        url: The server's address.
        service: Answers its requests.
    """

    def __init__(self, url: str, service: Service):
        self.url, self.service = url, service

    def post(self, path: str, body: Any, **options: Any) -> requests.Response:
        """Post JSON, or bytes unchanged, to a path below `/v1/models/`."""
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
        return requests.post(f"{self.url}/v1/models/{path}", timeout=60, **content, **options)

    def get(self, path: str) -> requests.Response:
        """Get a path relative to the root."""
        return requests.get(f"{self.url}/{path}", timeout=60)


@contextlib.contextmanager
def live(folder: pathlib.Path, **config: Any) -> Iterator[Live]:
    """Serve the versions in `folder`, configured by `ServeConfig(**config)`."""
    settings = ServeConfig(model=str(folder), port=0, **config)
    served = served_models.find(settings.model)
    service = startup.build_service(
        settings.name or folder.name,
        folder,
        batching=settings.batching,
        labels=settings.labels,
        timeout=settings.timeout,
        max_batch_bytes=MAX_BATCH_BYTES,
        format=served.format,
        log_statistics=settings.log_statistics,
        statistics_seconds=settings.statistics_seconds,
    )
    with service.versions.lease() as model:
        offered = examples.find(settings.examples, model.folder, host=settings.host)
    app = rest.application(service, max_request_bytes=settings.max_request_bytes, examples=offered)
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
