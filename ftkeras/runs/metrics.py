"""A run's metrics, and the versions and memory that are recorded with them."""

import json
import logging
import pathlib
import platform
import resource
import sys
from importlib import metadata

from ftkeras import __version__
from ftkeras.runs import layout
from ftkeras.support import files

log = logging.getLogger(__name__)

FIGURES = ("accuracy", "loss", "precision", "recall", "f1", "auc")


def write_metrics(run_dir: pathlib.Path, metrics: dict) -> None:
    """Write metrics.json."""
    files.write_json(run_dir / layout.METRICS, metrics)


def read_metrics(run_dir: pathlib.Path) -> dict:
    """Return the content of metrics.json; an empty dict if it is missing or damaged."""
    try:
        return json.loads((run_dir / layout.METRICS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def versions(*others: str) -> dict[str, str]:
    """Return the versions of ftkeras, Python and the main packages.

    Args:
        others: names of further packages to include.
    """
    packages = ("tensorflow", "tensorflow-text", "keras", "numpy", *others)
    found = {name: metadata.version(name) for name in packages}
    return {"ftkeras": __version__, "python": platform.python_version(), **found}


def peak_memory_bytes() -> int:
    """Return the peak memory of this process, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def show_metrics(measured: dict, labels: tuple[str, ...]) -> None:
    """Log the metrics of validation and test, and the confusion matrix of the last of them."""
    log.info(f"\n{'':12}" + "".join(f"{name:>11}" for name in (*FIGURES, "examples")))
    splits = [split for split in ("validation", "test") if split in measured]
    for split in splits:
        figures = measured[split]
        shown = "".join(_figure(figures[name]) for name in FIGURES)
        log.info(f"{split:12}{shown}{figures['examples']:>11,}")
    title = f"on {splits[-1]}"
    width = max(10, len(title) + 2, *(len(label) + 2 for label in labels))
    log.info(f"\n{title:{width}}" + "".join(f"{'said ' + label:>{width + 5}}" for label in labels))
    for label, counts in zip(labels, measured["confusion"], strict=True):
        log.info(f"{label:{width}}" + "".join(f"{count:>{width + 5},}" for count in counts))


def _figure(value: float | None) -> str:
    return f"{'-':>11}" if value is None else f"{value:>11.4f}"
