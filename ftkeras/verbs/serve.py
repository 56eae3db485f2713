"""Serve an exported model over HTTP, with TensorFlow Serving's REST API, for a laptop or a test."""

import functools
import logging
import pathlib
from collections.abc import Callable

from ftkeras.config.serving import ServeConfig
from ftkeras.errors import UserError
from ftkeras.runs import signing
from ftkeras.support import accelerator
from ftkeras.workflows import served_models

log = logging.getLogger(__name__)

# Modules of the extra `serve`, which are imported only when they are needed.
EXTRA = ("uvicorn", "starlette", "prometheus_client", "tensorflow_serving", "markdown_it")
MAX_BATCH_BYTES = 2048  # of texts in a batch on a CPU; see benchmarks/serving.md


def run(config: ServeConfig) -> None:
    """Serve the model until a signal stops the server.

    Raises:
        UserError: if the model cannot be loaded, the port is in use, or a package is missing.
        Stopped: after SIGTERM, when all requests have been answered.
    """
    served = served_models.find(config.model)
    try:
        from ftkeras.serving import http_server, startup
        from ftkeras.serving.page import examples
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        raise UserError(f"serve needs {error.name}: pip install 'ftkeras[serve]'") from None
    name = config.name or served.folder.resolve().name
    listening = http_server.bind(config.host, config.port)  # before the model takes time to load
    service = startup.build_service(
        name,
        served.folder,
        batching=config.batching,
        labels=config.labels,
        timeout=config.timeout,
        max_batch_bytes=float("inf") if accelerator.is_available() else MAX_BATCH_BYTES,
        format=served.format,
        version=served.version,
        check=_signature_check(config.require_signature),
        log_statistics=config.log_statistics,
        statistics_seconds=config.statistics_seconds,
    )
    with service.versions.lease() as model:
        offered = examples.find(config.examples, model.folder, host=config.host)
    url = http_server.url(listening)
    service.versions.watch(config.poll_seconds)
    http_server.run(
        service,
        listening,
        max_request_bytes=config.max_request_bytes,
        timeout=config.timeout,
        examples=offered,
        on_start=lambda: log.info(
            "page    %s/\nmodel   %s/v1/models/%s\ntexts   %s", url, url, name, offered.message
        ),
    )


def _signature_check(public_key: str | None) -> Callable[[pathlib.Path], None] | None:
    """Return a check that refuses versions without the key's signature; None without a key."""
    if public_key is None:
        return None
    signing.check_public_key(public_key)
    return functools.partial(signing.verify, public_key=public_key)
