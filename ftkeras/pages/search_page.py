"""Write the page about a search."""

import pathlib
from collections.abc import Sequence

from ftkeras.config.tune import TuneConfig
from ftkeras.figures.parts import (
    Cell,
    Code,
    Column,
    Facts,
    KeyNumber,
    KeyNumbers,
    Notice,
    Part,
    Plot,
    Section,
    Table,
)
from ftkeras.pages import metric_names, page
from ftkeras.runs import layout, naming
from ftkeras.search import plots, results, table
from ftkeras.search.ranges import Parameter
from ftkeras.search.results import COMPLETED, Result
from ftkeras.support import commands, times

OPTIMISTIC = (
    "The validation score of the best of many trials is optimistic; evaluate it on the test split."
)


def write(
    home: pathlib.Path,
    config: TuneConfig,
    parameters: Sequence[Parameter],
    ended: Sequence[Result],
    recipe: str,
    seconds: float,
) -> pathlib.Path:
    """Write the page into the search's folder, and return its path.

    Args:
        home: the folder.
        config: of the search.
        parameters: of the search space.
        ended: the trials.
        recipe: the best trial's flagfile; empty if there is none.
        seconds: that the search has taken.

    Raises:
        UserError: if matplotlib or jinja2 is not installed.
    """
    path = home / layout.PAGE
    count = f"{len(ended)} trial{'' if len(ended) == 1 else 's'}"
    subtitle = f"A search of {count} for the best validation {config.objective}"
    sections = [
        Section("Summary", "summary", _summary(config, ended, seconds)),
        Section("Plots", "plots", _plots(config.objective, parameters, ended)),
        Section("Trials", "trials", [_trials(config.objective, ended)]),
    ]
    if recipe:
        sections.append(Section("The best trial", "best", _best(home, recipe)))
    title, folder = naming.run_name(config), home / layout.SEARCH_PLOTS
    page.write(path, folder, title, subtitle, sections, with_numbers=False)
    return path


def _summary(config: TuneConfig, ended: Sequence[Result], seconds: float) -> list[Part]:
    best, name = results.best(ended, config.objective), metric_names.title(config.objective)
    completed = sum(result.status == COMPLETED for result in ended)
    tiles = [KeyNumber("Trials", f"{len(ended)}", f"{completed} completed")]
    notice = Notice("No trial was completed.", "error")
    if best is not None:
        tiles.insert(0, KeyNumber(f"Best {name}", table.score(best), f"trial {best.trial}"))
        notice = Notice(OPTIMISTIC, "info")
    tiles.append(KeyNumber("Duration", times.duration(seconds)))
    facts = {
        "Task": config.task,
        "Encoder": config.encoder,
        "Oracle": config.oracle,
        "Searched": "; ".join(config.search),
    }
    if best is not None:
        facts["Best settings"] = table.settings(best.settings)
    return [KeyNumbers(tiles), notice, Facts(facts)]


def _plots(
    objective: str, parameters: Sequence[Parameter], ended: Sequence[Result]
) -> Sequence[Plot]:
    best = results.best(ended, objective)
    result = "no trial was completed" if best is None else f"the best is {table.score(best)}"
    rows = plots.ByParameter.rows(len(parameters))
    return [
        Plot(
            "progress",
            "Progress",
            plots.Progress(ended, objective),
            f"{len(ended)} trials in the order in which they started; {result}.",
            "Each point is a trial. A bar is the standard deviation over its folds or seeds.",
            size=(9, 3.6),
        ),
        Plot(
            "by_parameter",
            "Effect of each parameter",
            plots.ByParameter(ended, parameters, objective),
            "The table of trials has the same numbers.",
            "Each point is a trial; the other parameters vary as well. An orange line is the mean "
            "over the trials with that choice.",
            size=(9, 2.9 * rows),
        ),
        Plot(
            "parallel_coordinates",
            "All parameters together",
            plots.ParallelCoordinates(ended, parameters, objective),
            "The table of trials has the same numbers.",
            "Each line is a trial, from its values to its score on the right: the stronger "
            "its colour, the better, and the best is orange. A line passes below an axis (–) if "
            "the trial does not have that parameter.",
            size=(9, 4.4),
        ),
    ]


def _trials(objective: str, ended: Sequence[Result]) -> Table:
    rows: list[list[Cell]] = [
        [
            result.trial,
            result.score,
            result.sd,
            result.seconds,
            table.settings(result.settings),
            result.status + (f": {result.reason}" if result.reason else ""),
        ]
        for result in results.rank(ended, objective)
    ]
    columns: list[str | Column] = [
        "trial",
        Column(metric_names.title(objective), "{:.4f}"),
        Column("sd", "{:.4f}", "the standard deviation over folds or seeds"),
        Column("seconds", "{:,.0f}"),
        "settings",
        "status",
    ]
    return Table("trials", "All trials, the best first", columns, rows)


def _best(home: pathlib.Path, recipe: str) -> list[Part]:
    path = home / layout.BEST_RECIPE
    return [
        Code(commands.line(flagfile=path), "Train the best settings"),
        Code(recipe, f"{path}"),
    ]
