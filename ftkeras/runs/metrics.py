"""A run's metrics, and the versions and memory that are recorded with them."""

import json
import math
import pathlib
import platform
import resource
import sys
from importlib import metadata

from ftkeras import __version__
from ftkeras.runs import layout
from ftkeras.support import files

NAMES = ("accuracy", "loss", "precision", "recall", "f1", "auc")
# The smallest and the largest value of metrics that are bounded.
_SHARES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "macro_f1", "auc")
LIMITS = {
    **dict.fromkeys(_SHARES, (0.0, 1.0)),
    **dict.fromkeys(("mcc", "pearson", "spearman"), (-1.0, 1.0)),
    "loss": (0.0, math.inf),
}


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
