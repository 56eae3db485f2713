"""Serve an exported model over HTTP, with TensorFlow Serving's REST API, for a laptop or a test."""

import logging
import os
import pathlib
import sys
from typing import Any

from ftkeras.config.serving import ServeConfig
from ftkeras.errors import UserError
from ftkeras.serving.model_folder import find_versions
from ftkeras.support import accelerator

log = logging.getLogger(__name__)

# Modules of the extra `serve`, which are imported only when they are needed.
EXTRA = ("uvicorn", "starlette", "prometheus_client", "tensorflow_serving")
MAX_BATCH_BYTES = 2048  # of texts in a batch on a CPU; see benchmarks/serving.md


def run(config: ServeConfig) -> None:
    """Serve the model until a signal stops the server.

    Raises:
        UserError: if the model cannot be loaded, the port is in use, or a package is missing.
        Stopped: after SIGTERM, when all requests have been answered.
    """
    folder, version = find_versions(config.model, "serve")
    try:
        from ftkeras.serving import http_server
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        raise UserError(f"serve needs {error.name}: pip install 'ftkeras[serve]'") from None
    name = config.name or folder.resolve().name
    listening = http_server.bind(config.host, config.port)  # before the model takes time to load
    service, url = build(config, name, folder, version), http_server.url(listening)
    service.versions.watch(config.poll_seconds)
    http_server.run(
        service,
        listening,
        max_request_bytes=config.max_request_bytes,
        timeout=config.timeout,
        on_start=lambda: log.info("page    %s/\nmodel   %s/v1/models/%s", url, url, name),
    )


def build(config: ServeConfig, name: str, folder: pathlib.Path, version: int | None = None) -> Any:
    """Load the model and return the `Service` that answers requests."""
    from ftkeras.serving import metrics, service, settings, versions
    from ftkeras.serving.batcher import Batcher, Unbatched

    def report(line: str) -> None:
        # To standard error: the first line on standard output is the URL, which programs read.
        sys.stderr.write(f"{name}: {line}\n")
        sys.stderr.flush()

    batching = None
    if config.batching is None:
        batching = settings.Batching()
    elif config.batching != "none":
        batching = settings.read_batching(config.batching)
    served = versions.Versions(
        name, folder, _load, labels=config.labels, only=version, report=report
    )
    served.refresh()
    if not served.available():
        reason = next((s["status"]["error_message"] for s in served.status()), "it has no version")
        raise UserError(f"model={config.model} can't be served: {reason}")
    recorded = metrics.Metrics(name)
    if batching is None:
        batcher = Unbatched(os.cpu_count() or 1)
    else:
        max_bytes = float("inf") if accelerator.is_available() else MAX_BATCH_BYTES
        batcher = Batcher(batching, max_bytes=max_bytes, on_wait=recorded.record_wait)
    return service.Service(served, batcher, recorded, timeout=config.timeout)


def _load(folder: pathlib.Path) -> Any:
    from ftkeras.serving.model import Model

    model = Model(folder)
    model.warm_up()
    return model
