"""Write search.html, a self-contained page about a search."""

import pathlib
from collections.abc import Sequence
from html import escape

from ftkeras.config.tune import TuneConfig
from ftkeras.search import plots, results, table
from ftkeras.search.ranges import Parameter
from ftkeras.search.results import Result
from ftkeras.support import files, times

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #24292f; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
pre { background: #f6f8fa; padding: .8rem 1rem; overflow-x: auto; font-size: .85rem; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #d8dee4;
         vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.best td { font-weight: 600; } tr.failed td, tr.pruned td { color: #6e7781; }
svg { width: 100%; height: auto; } code { font-size: .95em; }
"""


def write(
    path: pathlib.Path,
    config: TuneConfig,
    parameters: Sequence[Parameter],
    ended: Sequence[Result],
    recipe: str,
    seconds: float,
) -> None:
    """Write the page atomically.

    Args:
        path: the file.
        config: the search's.
        parameters: of the search space.
        ended: the trials.
        recipe: the best trial's flagfile; empty if there is none.
        seconds: how long the search has taken.
    """
    title = f"Search: {config.task}, {len(ended)} trials"
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{_summary(config, ended, seconds)}</p>"]
    parts += _figures(ended, parameters, config.objective)
    parts += ["<h2>All trials, best first</h2>", _table(ended, config.objective)]
    if recipe:
        parts += ["<h2>The best trial as a flagfile</h2>", f"<pre>{escape(recipe)}</pre>"]
    body = "\n".join(parts)
    files.write_text(
        path,
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n",
    )


def _summary(config: TuneConfig, ended: Sequence[Result], seconds: float) -> str:
    best = results.best(ended, config.objective)
    found = (
        f"Best validation {config.objective}: {table.score(best)} (trial {best.trial})."
        if best is not None
        else "No trial was completed."
    )
    lines = "".join(f"<br><code>--search={escape(repr(line))}</code>" for line in config.search)
    oracle = escape(config.oracle)
    return (
        f"{found} Oracle: <code>{oracle}</code>. Duration: {times.duration(seconds)}. "
        "The validation score of the best of many trials is optimistic; evaluate it on the test "
        "split."
        f"{lines}"
    )


def _figures(ended: Sequence[Result], parameters: Sequence[Parameter], objective: str) -> list[str]:
    """Return each plot with a heading and a caption."""
    figures = (
        (
            "Progress",
            "Each point is a trial, in the order in which they started. A bar is the standard "
            "deviation over its folds or seeds.",
            plots.progress(ended, objective),
        ),
        (
            "Effect of each parameter",
            "Each point is a trial; the other parameters vary as well. An orange line is the mean "
            "over the trials with that choice.",
            plots.by_parameter(ended, parameters, objective),
        ),
        (
            "All parameters together",
            "Each line is a trial, from its values to its score on the right: the darker, the "
            "better, and the best is the thickest. A line passes below an axis (–) if the trial "
            "does not have that parameter.",
            plots.parallel_coordinates(ended, parameters, objective),
        ),
    )
    return [
        f'<h2>{heading}</h2>\n<p>{caption}</p>\n<div role="img" aria-label="{heading}">{plot}</div>'
        for heading, caption, plot in figures
    ]


def _table(ended: Sequence[Result], objective: str) -> str:
    head = (
        f'<tr><th>trial</th><th class="number">{escape(objective)}</th>'
        '<th class="number">seconds</th><th>settings</th><th>status</th></tr>'
    )
    best = results.best(ended, objective)
    rows = [_row(row, is_best=row is best) for row in results.rank(ended, objective)]
    return f"<table>\n{head}\n" + "\n".join(rows) + "\n</table>"


def _row(row: Result, *, is_best: bool) -> str:
    status = row.status + (f": {row.reason}" if row.reason else "")
    name = "best" if is_best else row.status
    return (
        f'<tr class="{name}"><td>{row.trial}</td><td class="number">{table.score(row)}</td>'
        f'<td class="number">{row.seconds:,.0f}</td><td>{escape(table.settings(row.settings))}</td>'
        f"<td>{escape(status)}</td></tr>"
    )
