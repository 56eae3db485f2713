"""Write the page about a comparison of recipes."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures import style
from ftkeras.figures.intervals import Interval, Intervals
from ftkeras.figures.lines import Line, Lines
from ftkeras.figures.parts import Cell, Column, Facts, Missing, Notice, Part, Plot, Section, Table
from ftkeras.pages import metric_names, page
from ftkeras.reports import comparison as report
from ftkeras.runs.reader import FinishedRun
from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.comparison import tested_difference

Recipes = Sequence[Sequence[FinishedRun]]
LINE_STYLES = ("-", "--", ":", "-.")
# Rows of a plot of differences; the table has all pairs.
MOST_PAIRS = 15
LONGEST_TEXT = 400


def write(
    path: pathlib.Path, plots: pathlib.Path, result: Mapping[str, Any], recipes: Recipes
) -> pathlib.Path:
    """Write the page, and its plots as files; return its path.

    Args:
        path: the HTML file.
        plots: the folder of the plots.
        result: as compare.json holds it, which has the page's numbers.
        recipes: the runs of each recipe.

    Raises:
        UserError: if matplotlib or jinja2 is not installed.
    """
    names = [recipe["name"] for recipe in result["ways"]]
    examples = f"{result['examples']:,} {result['split']} examples"
    count = f"{len(names)} recipes" if len(names) > 1 else "One recipe"
    subtitle = f"{count}, {sum(map(len, recipes))} runs, on {examples}"
    title = "Comparison" if len(names) > 1 else "Runs of a recipe"
    page.write(path, plots, title, subtitle, sections(result, recipes), with_numbers=False)
    return path


def sections(result: Mapping[str, Any], recipes: Recipes) -> list[Section]:
    """Return the sections of the page."""
    predictions = recipes[0][0].predictions
    tested = predictions.tested
    made = [
        Section("Conclusions", "conclusions", _conclusions(result)),
        Section("Recipes", "recipes", _recipes(result, tested)),
    ]
    if result["pairs"]:
        made.append(Section("Differences", "differences", _differences(result, tested)))
    made.append(Section("Learning curves", "curves", _curves(result, recipes)))
    if result["disagreements"]:
        parts = [_disagreements(result["disagreements"], tested)]
        made.append(Section("Disagreements", "disagreements", parts))
    return made


def _conclusions(result: Mapping[str, Any]) -> list[Part]:
    bootstrap = result["bootstrap"]
    facts = {
        "Examples": f"{result['examples']:,}, {result['split']}",
        "Intervals": f"{100 * result['confidence']:g} %, each for its value alone",
        "Bootstrap": f"{bootstrap['resamples']:,} samples of examples and runs, seed "
        f"{bootstrap['seed']}",
    }
    notices = [
        Notice(f"{sentence}".rstrip(".") + ".", "info") for sentence in result["conclusions"]
    ]
    return [*notices, Facts(facts)]


def _recipes(result: Mapping[str, Any], tested: Tested) -> list[Part]:
    recipes = result["ways"]
    settings: list[list[Cell]] = [
        [r["name"], report.settings(r) or "–", ", ".join(r["draws"]), " ".join(r["folders"])]
        for r in recipes
    ]
    columns = ["recipe", "differs in", "runs", "folders"]
    rows: list[list[Cell]] = [
        [
            *(r["name"], metric_names.words(name)),
            *(one["value"], one["low"], one["high"], r["over_runs"][name]["sd"]),
        ]
        for r in recipes
        for name, one in r["figures"].items()
    ]
    intervals = [
        Interval(r["name"], one["value"], one["low"], one["high"])
        for r in recipes
        if (one := r["figures"][tested.name])["value"] is not None
    ]
    parts: list[Part] = [Table("recipes", "What is compared", columns, settings)]
    if intervals:
        parts.append(
            _plot(tested.name, f"{metric_names.title(tested.name)} of each recipe", intervals)
        )
    heads = ["recipe", "metric", "value", Column("from"), Column("to")]
    heads.append(Column("sd", help="the standard deviation over the runs of the recipe"))
    note = " ".join(report.pooled(result))
    return [*parts, Table("metrics", "Metrics with their intervals", heads, rows, note)]


def _differences(result: Mapping[str, Any], tested: Tested) -> list[Part]:
    rows: list[list[Cell]] = []
    intervals = []
    for pair in result["pairs"]:
        name = f"{pair['second']} − {pair['first']}"
        difference = tested_difference(pair, tested)
        ends = [difference["value"], difference["low"], difference["high"]]
        only = pair["mcnemar"] and (
            f"{pair['second']} {pair['mcnemar']['only_second']:,}, "
            f"{pair['first']} {pair['mcnemar']['only_first']:,}"
        )
        rows.append([name, *ends, pair["p_value"], pair["p_value_holm"], pair["test"], only])
        if difference["value"] is not None:
            intervals.append(Interval(name, *ends))
    columns = [
        "pair",
        Column("difference", "{:+.4f}", f"of {metric_names.words(tested.name)}"),
        Column("from", "{:+.4f}"),
        Column("to", "{:+.4f}"),
        Column("p", "{:.2g}"),
        Column("Holm p", "{:.2g}", "corrected for all pairs"),
        "test",
        Column("right alone", help="how many examples only one of both recipes has right"),
    ]
    note = "An interval holds for its pair alone; Holm's p-values hold for all pairs together."
    title = f"{metric_names.title(tested.name)}: differences"
    parts: list[Part] = []
    if intervals:
        drawn = sorted(intervals, key=lambda one: -abs(one.value))[:MOST_PAIRS]
        parts.append(_plot("differences", title, drawn, vertical=0.0))
    return [*parts, Table("pairs", "Each pair", columns, rows, note)]


def _plot(name: str, title: str, rows: Sequence[Interval], vertical: float | None = None) -> Plot:
    alt = ", ".join(f"{row.name}: {row.value:.4f}" for row in rows) + "."
    size = (4.5, 0.9 + 0.28 * len(rows))
    drawing = Intervals(rows, title.partition(" of ")[0].partition(":")[0].lower(), vertical)
    return Plot(f"{name}_intervals", title, drawing, alt, size=size)


def _curves(result: Mapping[str, Any], recipes: Recipes) -> list[Part]:
    plots: list[Part] = []
    for metric in ("loss", recipes[0][0].problem.metric):
        lines = [
            Line(
                f"{recipe['name']}{'' if len(curves) < 2 else f' (mean of {len(curves)})'}",
                _mean(curves, f"val_{metric}"),
                style.SERIES[n % len(style.SERIES)],
                LINE_STYLES[n // len(style.SERIES) % len(LINE_STYLES)],
                "o",
            )
            for n, (recipe, runs) in enumerate(zip(result["ways"], recipes, strict=True))
            if (curves := [rows for run in runs for rows in run.curves if rows])
        ]
        lines = [line for line in lines if line.points]
        if not lines:
            continue
        title = f"Validation {metric_names.words(metric)}"
        drawing = Lines(lines, "epoch", title.lower(), whole_numbers=True)
        ends = ", ".join(f"{line.name}: {line.points[-1][1]:.4g}" for line in lines)
        alt = f"After the last epoch, {ends}."
        plots.append(Plot(f"{metric}_by_epoch", f"{title} by epoch", drawing, alt))
    return plots or [Missing("Learning curves", "the runs have no history of their epochs.")]


def _mean(curves: Sequence[Sequence[Mapping[str, float]]], key: str) -> list[tuple[float, float]]:
    """Return the mean over runs at each epoch that one of them has."""
    values: dict[float, list[float]] = {}
    for row in (row for rows in curves for row in rows if key in row):
        values.setdefault(row["epoch"], []).append(row[key])
    return [(epoch, float(np.mean(scores))) for epoch, scores in sorted(values.items())]


def _disagreements(rows: Sequence[Mapping[str, Any]], tested: Tested) -> Table:
    names = list(rows[0][tested.compared])
    answers = [key for key in rows[0] if key not in ("id", "text", tested.compared)]
    cells: list[list[Cell]] = [
        [
            row["id"],
            *(value if isinstance(value := row[key], str) else str(value) for key in answers),
            *(float(row[tested.compared][name]) for name in names),
            _cut(row["text"] or "–"),
        ]
        for row in rows
    ]
    columns: list[str | Column] = ["example", *answers, *map(Column, names), "text"]
    note = f"The numbers are each recipe's {tested.compared_title}, the mean over its runs."
    title = "Examples on which the recipes disagree most"
    return Table("disagreements", title, columns, cells, note)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT].rstrip() + " …"
