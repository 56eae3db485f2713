"""Everything that answers requests, built from the settings of `serve`."""

import os
import pathlib
import sys

from ftkeras.config.serving import ServeConfig
from ftkeras.errors import UserError
from ftkeras.serving import metrics, settings
from ftkeras.serving.batcher import Batcher, Unbatched
from ftkeras.serving.model import Model
from ftkeras.serving.service import Service
from ftkeras.serving.versions import Versions
from ftkeras.support import accelerator

MAX_BATCH_BYTES = 2048  # of texts in a batch on a CPU; see benchmarks/serving.md


def build_service(
    config: ServeConfig, name: str, folder: pathlib.Path, version: int | None = None
) -> Service:
    """Load the model and return the service that answers requests.

    Args:
        config: what `serve` was called with.
        name: of the model, in URLs and messages.
        folder: contains the versions.
        version: the only one to serve; by default the newest one, and those with a label.

    Raises:
        UserError: if no version can be served, or the batching file is wrong.
    """
    batching = _read_batching(config.batching)
    served = _load_versions(config, name, folder, version)
    recorded = metrics.Metrics(name)
    if batching is None:
        batcher = Unbatched(os.cpu_count() or 1)
    else:
        max_bytes = float("inf") if accelerator.is_available() else MAX_BATCH_BYTES
        batcher = Batcher(batching, max_bytes=max_bytes, on_wait=recorded.record_wait)
    return Service(served, batcher, recorded, timeout=config.timeout)


def _read_batching(spec: str | None) -> settings.Batching | None:
    if spec is None:
        return settings.Batching()
    return None if spec == "none" else settings.read_batching(spec)


def _load_versions(
    config: ServeConfig, name: str, folder: pathlib.Path, version: int | None
) -> Versions:
    def report(line: str) -> None:
        # To standard error: the first line on standard output is the URL, which programs read.
        sys.stderr.write(f"{name}: {line}\n")
        sys.stderr.flush()

    served = Versions(name, folder, _load, labels=config.labels, only=version, report=report)
    served.refresh()
    if not served.available():
        reason = next((s["status"]["error_message"] for s in served.status()), "it has no version")
        raise UserError(f"model={config.model} can't be served: {reason}")
    return served


def _load(folder: pathlib.Path) -> Model:
    model = Model(folder)
    model.warm_up()
    return model
