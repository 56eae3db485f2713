"""The trials of a search as text, as JSON, and the best one as a flagfile."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.search import results
from ftkeras.search.results import Result
from ftkeras.support import times

MAX_ROWS = 30


def text(ended: Sequence[Result], objective: str) -> str:
    """Return a table of the trials, best first, with at most MAX_ROWS of them."""
    rows = results.rank(ended, objective)
    width = max(len(objective), *(len(score(row)) for row in rows))
    lines = [f"{'trial':5}  {objective:>{width}}{'seconds':>10}{'epoch':>7}  settings"]
    for row in rows[:MAX_ROWS]:
        seconds = f"{row.seconds:,.0f}" if row.seconds else "-"
        numbers = f"{row.trial:5}  {score(row):>{width}}{seconds:>10}{_best_epochs(row):>7}"
        reason = f"  {row.status}: {row.reason}" if row.reason else ""
        lines.append(f"{numbers}  {settings(row.settings)}{reason}")
    if len(rows) > MAX_ROWS:
        lines.append(f"… and {len(rows) - MAX_ROWS} more; the file below has all of them")
    return "\n".join(lines)


def line(result: Result, objective: str) -> str:
    """Return a line about a trial that has just ended."""
    outcome = f"{objective} {score(result)}" if result.scores else result.status
    duration = times.duration(result.seconds) if result.seconds else ""
    parts = [f"trial {result.trial}", outcome, duration, settings(result.settings)]
    reason = f"; {result.status}: {result.reason}" if result.reason else ""
    return " · ".join(filter(None, parts)) + reason


def score(result: Result) -> str:
    """Return the mean score, with its standard deviation if there are several; `-` for none."""
    if result.score is None:
        return "-"
    return f"{result.score:.4f}" + ("" if result.sd is None else f" ± {result.sd:.4f}")


def settings(values: Mapping[str, Any]) -> str:
    """Return settings as `name=value` pairs.

    >>> settings({"learning_rate": 2e-05, "policy": ("full",), "warmup": None})
    'learning_rate=2e-05 policy=full warmup=none'
    """
    return " ".join(f"{name}={_value(value)}" for name, value in values.items())


def as_json(config: TuneConfig, ended: Sequence[Result], seconds: float) -> dict:
    """Return the content of search.json.

    Args:
        config: the search's.
        ended: its trials.
        seconds: how long the search has taken.
    """
    rows = results.rank(ended, config.objective)
    return {
        "objective": config.objective,
        "oracle": config.oracle,
        "search": list(config.search),
        "seconds": round(seconds, 1),
        "trials": [{**dataclasses.asdict(row), "score": row.score, "sd": row.sd} for row in rows],
    }


def recipe(config: Config, best: Result, objective: str) -> str:
    """Return the content of best.cfg, a flagfile for train."""
    summary = f"validation {objective} {score(best)} ({settings(best.settings)})"
    return f"# Trial {best.trial}: {summary}.\n{flagfile.render(config)}"


def _best_epochs(result: Result) -> str:
    """Return the best epoch, or the range of best epochs of several runs."""
    epochs = result.best_epochs
    return "-".join(map(str, sorted({min(epochs), max(epochs)}))) if epochs else "-"


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
