"""The trials of a search as a table: on the screen, in search.json, and best.cfg."""

import dataclasses
import logging
from collections.abc import Sequence

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.search import results
from ftkeras.search.results import Result
from ftkeras.support import times

log = logging.getLogger(__name__)

MOST_ROWS = 30


def said(settings: dict) -> str:
    """Settings as flags say them."""
    return " ".join(f"{name}={_text(value)}" for name, value in settings.items())


def score(result: Result) -> str:
    """Mean and, of several, standard deviation; `-` where there is none."""
    if result.score is None:
        return "-"
    return f"{result.score:.4f}" + ("" if result.sd is None else f" ± {result.sd:.4f}")


def line(result: Result, objective: str) -> str:
    """What is told of a trial that has just ended."""
    what = f"{objective} {score(result)}" if result.scores else result.status
    after = f"; {result.status}: {result.reason}" if result.reason else ""
    took = times.duration(result.seconds) if result.seconds else ""
    parts = [f"trial {result.trial}", what, took, said(result.settings)]
    return " · ".join(filter(None, parts)) + after


def show(ended: Sequence[Result], objective: str) -> None:
    """Prints the trials, best first."""
    rows = results.ranked(ended, objective)
    width = max(len(objective), *(len(score(row)) for row in rows))
    log.info(f"\n{'trial':5}  {objective:>{width}}{'seconds':>10}{'epoch':>7}  settings")
    for row in rows[:MOST_ROWS]:
        seconds = f"{row.seconds:,.0f}" if row.seconds else "-"
        after = f"  {row.status}: {row.reason}" if row.reason else ""
        print(f"{row.trial:5}  {score(row):>{width}}{seconds:>10}{_epochs(row):>7}", end="")
        log.info(f"  {said(row.settings)}{after}")
    if len(rows) > MOST_ROWS:
        log.info(f"… and {len(rows) - MOST_ROWS} more, all in the table below")


def as_json(config: TuneConfig, ended: Sequence[Result], seconds: float) -> dict:
    """What search.json says."""
    rows = results.ranked(ended, config.objective)
    return {
        "objective": config.objective,
        "oracle": config.oracle,
        "search": list(config.search),
        "seconds": round(seconds, 1),
        "trials": [{**dataclasses.asdict(row), "score": row.score, "sd": row.sd} for row in rows],
    }


def recipe(config: Config, best: Result, objective: str) -> str:
    """best.cfg: a flagfile for train."""
    about = f"# Trial {best.trial}: validation {objective} {score(best)} ({said(best.settings)}).\n"
    return about + flagfile.render(config)


def _epochs(result: Result) -> str:
    """The best epoch, or of several runs the first and the last."""
    epochs = result.best_epochs
    return "-".join(map(str, sorted({min(epochs), max(epochs)}))) if epochs else "-"


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
