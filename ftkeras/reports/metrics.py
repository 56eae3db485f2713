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
    return "\n".join([*lines, *problem.report(metrics, splits[-1], layout.METRICS)])


def cell(value: float | None) -> str:
    """Return a metric in a column of 11; `-` if it is undefined.

    >>> cell(0.5), cell(None)
    ('     0.5000', '          -')
    """
    return f"{'-':>11}" if value is None else f"{value:>11.4f}"
