"""search.html: what a search has found, in one file that needs no other."""

import pathlib
from collections.abc import Sequence
from html import escape

from ftkeras.config.tune import TuneConfig
from ftkeras.search import pictures, results, table
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
    """Writes the page whole.

    Args:
        path: the file.
        config: the search's.
        parameters: of its space.
        ended: its trials.
        recipe: the best trial's flagfile; empty where there is none.
        seconds: that the search has taken.
    """
    objective = config.objective
    title = f"Search: {config.task}, {len(ended)} trials"
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{_about(config, ended, seconds)}</p>"]
    for heading, picture in (
        ("Trials", pictures.over_trials(ended, objective)),
        ("What was varied", pictures.over_parameters(ended, parameters, objective)),
        ("All at once", pictures.parallel(ended, parameters, objective)),
    ):
        parts += [f"<h2>{heading}</h2>", f'<div role="img" aria-label="{heading}">{picture}</div>']
    parts += ["<h2>Table</h2>", _table(ended, objective)]
    if recipe:
        parts += ["<h2>The best, as a flagfile</h2>", f"<pre>{escape(recipe)}</pre>"]
    body = "\n".join(parts)
    files.write_text(
        path,
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n",
    )


def _about(config: TuneConfig, ended: Sequence[Result], seconds: float) -> str:
    best = results.best(ended, config.objective)
    found = (
        f"Best validation {config.objective}: {table.score(best)} (trial {best.trial})."
        if best is not None
        else "No trial was completed."
    )
    lines = "".join(f"<br><code>--search={escape(repr(line))}</code>" for line in config.search)
    oracle = escape(config.oracle)
    return (
        f"{found} Oracle: <code>{oracle}</code>; {times.duration(seconds)}. The best of many "
        f"looks better on validation than it is: test says how good.{lines}"
    )


def _table(ended: Sequence[Result], objective: str) -> str:
    head = (
        f'<tr><th>trial</th><th class="number">{escape(objective)}</th>'
        '<th class="number">seconds</th><th>settings</th><th>status</th></tr>'
    )
    first = results.best(ended, objective)
    rows = [_row(row, is_best=row is first) for row in results.ranked(ended, objective)]
    return f"<table>\n{head}\n" + "\n".join(rows) + "\n</table>"


def _row(row: Result, *, is_best: bool) -> str:
    status = row.status + (f": {row.reason}" if row.reason else "")
    name = "best" if is_best else row.status
    return (
        f'<tr class="{name}"><td>{row.trial}</td><td class="number">{table.score(row)}</td>'
        f'<td class="number">{row.seconds:,.0f}</td><td>{escape(table.said(row.settings))}</td>'
        f"<td>{escape(status)}</td></tr>"
    )
