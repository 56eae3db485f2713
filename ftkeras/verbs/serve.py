"""Serve an exported model over HTTP, with TensorFlow Serving's REST API, for a laptop or a test."""

import asyncio
import logging
import os
import pathlib
import re
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from ftkeras.config.serving import ServeConfig
from ftkeras.errors import Stopped, UserError
from ftkeras.serving.model_folder import find_versions

log = logging.getLogger(__name__)


def run(config: ServeConfig) -> None:
    """Serve the model until a signal stops the server.

    Raises:
        UserError: if the model cannot be loaded, the port is in use, or a package is missing.
        Stopped: after SIGTERM, when all requests have been answered.
    """
    folder, only = find_versions(config.model, "serve")
    try:
        import uvicorn

        from ftkeras.serving import rest
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise UserError(f"serve needs {error.name}: pip install 'ftkeras[serve]'") from None
    name = config.name or folder.resolve().name
    listening = _bound(config.host, config.port)
    service = build(config, name, folder, only)
    service.versions.watch(config.poll_seconds)
    settings = uvicorn.Config(
        rest.application(service, max_request_bytes=config.max_request_bytes),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=int(config.timeout) + 1,
        timeout_keep_alive=65,
    )
    signal.signal(signal.SIGTERM, _stopped)
    with asyncio.Runner(loop_factory=settings.get_loop_factory()) as runner:
        runner.run(_until_stopped(uvicorn.Server(settings), listening, name))


async def _until_stopped(server: Any, listening: socket.socket, name: str) -> None:
    """Serve until a signal arrives; log the URLs when the server accepts requests."""
    url = _url(listening)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        log.info(f"page    {url}/\nmodel   {url}/v1/models/{name}")
    await serving


def build(config: ServeConfig, name: str, folder: pathlib.Path, only: int | None = None):
    """Load the model and return the service that answers requests."""
    from ftkeras.serving import metrics, service, settings, versions
    from ftkeras.serving.batcher import Batcher, Unbatched
    from ftkeras.support import accelerator

    batching = None
    if config.batching is None:
        batching = settings.Batching()
    elif config.batching != "none":
        batching = settings.read_batching(config.batching)
    served = versions.Versions(
        name, folder, _load, labels=config.labels, only=only, report=_told(name)
    )
    served.refresh()
    if not served.available():
        reason = next((s["status"]["error_message"] for s in served.status()), "no version in it")
        raise UserError(f"model={config.model} can't be served: {reason}")
    counted = metrics.Metrics(name)
    if batching is None:
        batcher = Unbatched(os.cpu_count() or 1)
    else:
        max_bytes = float("inf") if accelerator.is_available() else MOST_BYTES
        batcher = Batcher(batching, max_bytes=max_bytes, on_wait=counted.record_wait)
    return service.Service(served, batcher, counted, timeout=config.timeout)


# Of a batch on a CPU; see benchmarks/serving.md.
MOST_BYTES = 2048
_EXTRA = ("uvicorn", "starlette", "prometheus_client", "tensorflow_serving")


def _load(folder: pathlib.Path):
    from ftkeras.serving.model import Model

    model = Model(folder)
    model.warm_up()
    return model


def _told(name: str) -> Callable[[str], None]:
    def report(line: str) -> None:
        # To standard error: the first line on standard output is the URL, which programs read.
        sys.stderr.write(f"{name}: {line}\n")
        sys.stderr.flush()

    return report


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise UserError(f"can't listen on host={host} port={port}: {error.strerror}.") from None
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    host = re.sub(r"^(0\.0\.0\.0|::)$", "localhost", host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _stopped(number: int, frame: object) -> None:
    raise Stopped(number, "All requests have been answered.")
