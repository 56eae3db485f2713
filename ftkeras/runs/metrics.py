"""A run's metrics, and the versions and memory that are recorded with them."""

import json
import pathlib
import platform
import resource
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from ftkeras import __version__
from ftkeras.runs import layout
from ftkeras.support import files


def write_metrics(run_dir: pathlib.Path, metrics: dict) -> None:
    """Write metrics.json."""
    files.write_json(run_dir / layout.METRICS, metrics)


def read_metrics(run_dir: pathlib.Path) -> dict:
    """Return the content of metrics.json; an empty dict if it is missing or damaged."""
    try:
        return json.loads((run_dir / layout.METRICS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def scalars(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Return a split's metrics without tables of several rows, such as those of each class.

    >>> scalars({"f1": 0.5, "absent_classes": [], "per_class": [{"label": "a", "f1": 0.5}]})
    {'f1': 0.5, 'absent_classes': []}
    """
    return {name: value for name, value in measured.items() if not _is_table(value)}


def versions(*others: str) -> dict[str, str]:
    """Return the versions of ftkeras, Python and the main packages.

    Args:
        others: names of further packages to include.
    """
    packages = ("tensorflow", "tensorflow-text", "keras", "numpy", *others)
    installed = {name: metadata.version(name) for name in packages}
    return {"ftkeras": __version__, "python": platform.python_version(), **installed}


def peak_memory_bytes() -> int:
    """Return the peak memory of this process, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(row, dict) for row in value)
