"""Everything that answers requests, built from a folder of versions and a few settings."""

import functools
import os
import pathlib
import sys
from collections.abc import Callable, Container
from dataclasses import dataclass

from ftkeras.errors import UserError
from ftkeras.serving import metrics, saved_model, settings
from ftkeras.serving.batcher import Batcher, Unbatched
from ftkeras.serving.model import Model
from ftkeras.serving.service import Service
from ftkeras.serving.statistics import Statistics
from ftkeras.serving.versions import Versions


@dataclass(frozen=True)
class Format:
    """The functions that find and load models in a format; see `Versions`.

    Attributes:
        find: a file of each version, by its number, given the folder of all.
        load: a version, given its folder.
    """

    find: Callable[[pathlib.Path], dict[int, pathlib.Path]] = saved_model.find
    load: Callable[[pathlib.Path], Model] = saved_model.load


def build_service(
    name: str,
    folder: pathlib.Path,
    *,
    batching: str | None,
    labels: dict[str, int],
    timeout: float,
    max_batch_bytes: float,
    format: Format | None = None,
    version: int | None = None,
    check: Callable[[pathlib.Path], None] | None = None,
    log_statistics: str | None = None,
    statistics_seconds: float = 3600.0,
) -> Service:
    """Load the model and return the service that answers requests.

    Args:
        name: of the model, in URLs and messages.
        folder: contains the versions.
        batching: the path of a file with TensorFlow Serving's batching parameters; "none" to
            answer each request alone; None for the default parameters.
        labels: version numbers by label; they are served beside the newest.
        timeout: seconds in which a request is answered or refused.
        max_batch_bytes: of the texts in a batch.
        format: of the model; None for SavedModels.
        version: the only one to serve; None for the newest one, and those with a label.
        check: raises UserError for the folder of a version that must not be served.
        log_statistics: a file to which counts of the answers are added; None for none.
        statistics_seconds: the length of the windows of time that are counted separately.

    Raises:
        UserError: if no version can be served, a label has no version, or the batching file or that
            of statistics is wrong.
    """
    parameters = _read_batching(batching)
    statistics = _open_statistics(log_statistics, name, statistics_seconds)
    served = _load_versions(name, folder, format or Format(), labels, version, check)
    recorded = metrics.Metrics(name)
    if parameters is None:
        batcher = Unbatched(os.cpu_count() or 1)
    else:
        batcher = Batcher(parameters, max_bytes=max_batch_bytes, on_wait=recorded.record_wait)
    return Service(served, batcher, recorded, timeout=timeout, statistics=statistics)


def _open_statistics(path: str | None, name: str, seconds: float) -> Statistics | None:
    if path is None:
        return None
    try:
        pathlib.Path(path).open("a").close()
    except OSError as error:
        raise UserError(f"log_statistics={path} can't be written: {error.strerror}.") from None
    report = functools.partial(_report, name)
    return Statistics(pathlib.Path(path), name, seconds=seconds, report=report)


def _read_batching(spec: str | None) -> settings.Batching | None:
    if spec is None:
        return settings.Batching()
    return None if spec == "none" else settings.read_batching(spec)


def _load_versions(
    name: str,
    folder: pathlib.Path,
    format: Format,
    labels: dict[str, int],
    version: int | None,
    check: Callable[[pathlib.Path], None] | None,
) -> Versions:
    _check_labels(labels, folder, version, format.find(folder))
    served = Versions(
        name,
        folder,
        format.find,
        functools.partial(_load, load=format.load, check=check),
        labels=labels,
        only=version,
        report=functools.partial(_report, name),
    )
    served.refresh()
    if not served.available():
        reason = next((s["status"]["error_message"] for s in served.status()), "it has no version")
        raise UserError(f"model={folder} can't be served: {reason}")
    return served


def _check_labels(
    labels: dict[str, int], folder: pathlib.Path, version: int | None, present: Container[int]
) -> None:
    """Raise UserError for a label that names no version, or is given beside a single version."""
    for label, number in labels.items():
        if version is not None:
            raise UserError(
                f"label={label}={number} is for a folder of versions; model="
                f"{folder / str(version)} is one version. Name the folder, {folder}, or leave out "
                "`label`."
            )
        if number not in present:
            raise UserError(
                f"label={label}={number}: model={folder} has no version {number}; name one that "
                "it has."
            )


def _report(name: str, line: str) -> None:
    # To standard error: the first line on standard output is the URL, which programs read.
    sys.stderr.write(f"{name}: {line}\n")
    sys.stderr.flush()


def _load(
    folder: pathlib.Path,
    *,
    load: Callable[[pathlib.Path], Model],
    check: Callable[[pathlib.Path], None] | None,
) -> Model:
    if check is not None:
        check(folder)
    model = load(folder)
    model.warm_up()
    return model
