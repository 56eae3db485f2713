"""A run's metrics as text."""

from collections.abc import Mapping
from typing import Any

from ftkeras.problems import Problem
from ftkeras.runs import layout


def table(metrics: Mapping[str, Any], problem: Problem) -> str:
    """Return the metrics of each split, and what the problem reports of the last one.

    Args:
        metrics: as metrics.json holds them.
        problem: names the metrics.
    """
    splits = [split for split in ("validation", "test") if split in metrics]
    lines = [f"{'':12}" + "".join(f" {name:>10}" for name in (*problem.columns, "examples"))]
    for split in splits:
        values = "".join(cell(metrics[split][name]) for name in problem.columns)
        lines.append(f"{split:12}{values}{metrics[split]['examples']:>11,}")
    if calibrated := calibration(metrics, problem):
        lines.append(calibrated)
    return "\n".join([*lines, *problem.report(metrics, splits[-1], layout.METRICS)])


def calibration(metrics: Mapping[str, Any], problem: Problem) -> str | None:
    """Return a line about what calibrating has changed; None if the run is not calibrated.

    Args:
        metrics: as metrics.json holds them.
        problem: the run's.
    """
    if problem.temperature is None or "calibration" not in metrics:
        return None
    changes = [
        f"{split} "
        + ", ".join(
            f"{name.upper()} {errors['before'][name]:.4f} to {errors['after'][name]:.4f}"
            for name in ("ece", "nll")
        )
        for split, errors in metrics["calibration"].items()
    ]
    return f"calibrated  temperature {problem.temperature:.3f}: {'; '.join(changes)}"


def cell(value: float | None) -> str:
    """Return a metric in a column of 11; `-` if it is undefined.

    >>> cell(0.5), cell(None)
    ('     0.5000', '          -')
    """
    return f"{'-':>11}" if value is None else f"{value:>11.4f}"
