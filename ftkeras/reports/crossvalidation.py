"""A cross-validation as text."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.problems import Problem
from ftkeras.processes.child_run import Outcome
from ftkeras.reports.metrics import cell
from ftkeras.support import times

ROWS = (("mean", "mean"), ("sd", "sd"), ("95 % from", "low"), ("95 % to", "high"))


def table(summary: Mapping[str, Any], problem: type[Problem]) -> str:
    """Return a row for each fold, then mean, standard deviation and interval of each metric.

    Args:
        summary: as crossvalidation.json holds it.
        problem: names the metrics that are shown.
    """
    folds, interval = summary["folds"], summary["interval"]
    heads = "".join(f" {name:>10}" for name in (*problem.columns, "examples"))
    lines = [f"{'repeat':>6}{'fold':>6}{heads}{'epoch':>8}{'seconds':>10}"]
    lines += [_row(fold, problem.columns) for fold in folds]
    for title, key in ROWS:
        shown = (summary["figures"][name] for name in problem.columns)
        values = [figure and figure[key] for figure in shown]
        lines.append(f"{title:12}" + "".join(map(cell, values)))
    lines += [
        "",
        f"95 % intervals: {interval['method']}, "
        f"{interval['degrees_of_freedom']} degrees of freedom.",
    ]
    if any(fold["best_epoch"] != folds[0]["best_epoch"] for fold in folds):
        lines.append("Each fold picked its own best epoch, so its metrics are a little optimistic.")
    return "\n".join(lines)


def fold(name: pathlib.Path, outcome: Outcome, metric: str, *, seconds_left: float) -> str:
    """Return the result of a fold that has just finished.

    Args:
        name: the fold's folder in that of the cross-validation.
        outcome: of its run, which did not fail.
        metric: what is shown beside the loss.
        seconds_left: how long the other folds may take; 0 if that is not known.
    """
    assert outcome.metrics is not None
    metrics = outcome.metrics["validation"]
    shown = "" if metrics[metric] is None else f"{metric} {metrics[metric]:.4f}, "
    when = f"in {times.duration(outcome.seconds)}" if outcome.seconds else "finished before"
    left = f"; about {times.duration(seconds_left)} left" if seconds_left else ""
    return f"  {name}: {shown}loss {metrics['loss']:.4f}, {when}{left}"


def _row(fold: Mapping[str, Any], columns: Sequence[str]) -> str:
    values = "".join(cell(fold[name]) for name in columns)
    about = f"{fold['examples']:>11,}{fold['best_epoch']:>8}{fold['seconds']:>10,.0f}"
    return f"{fold['repeat']:>6}{fold['fold']:>6}{values}{about}"
