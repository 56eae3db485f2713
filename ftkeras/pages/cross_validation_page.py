"""Write the page about a cross-validation."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.figures.intervals import Interval, Intervals
from ftkeras.figures.parts import (
    Cell,
    Code,
    Column,
    Facts,
    KeyNumber,
    KeyNumbers,
    Missing,
    Notice,
    Part,
    Plot,
    Section,
    Slider,
    Table,
)
from ftkeras.pages import metric_names, page
from ftkeras.problems import Problem
from ftkeras.runs import crossvalidation, layout, naming
from ftkeras.runs import problem as recorded_problem
from ftkeras.support import commands, files

Rows = Sequence[Mapping[str, Any]]
OPTIMISTIC = (
    "Each fold picked its own best epoch by the examples that it was evaluated on, so the metrics "
    "are a little optimistic."
)

POOLED = (
    "These tables and plots pool the predictions of all folds, each of its own model. Numbers that "
    "depend on the order of all scores, such as the area under a curve, differ from their means "
    "over folds above."
)


def write(
    home: pathlib.Path, config: CrossvalidateConfig, result: Mapping[str, Any]
) -> pathlib.Path:
    """Write the page into the cross-validation's folder, and return its path.

    Args:
        home: the folder, with the out-of-fold predictions.
        config: of the cross-validation.
        result: as crossvalidation.json holds it, which has the page's numbers.

    Raises:
        UserError: if matplotlib or jinja2 is not installed.
    """
    path = home / layout.CROSSVALIDATION_PAGE
    problem = recorded_problem.of_run(crossvalidation.fold_path(home, 0, 0))
    lines = files.read_json_lines(home / layout.OUT_OF_FOLD_PREDICTIONS)
    rows = [row for row in lines if row["repeat"] == 0]
    title = naming.run_name(config)
    subtitle = f"A {problem.kind}, cross-validated on {len(rows):,} examples"
    sections = [
        Section("Summary", "summary", _summary(config, result, problem)),
        Section("Folds", "folds", _folds(result, problem)),
        page.section_or_reason("predictions", lambda: _predictions(rows, problem)),
        Section("Reproduce", "reproduce", _commands(home)),
    ]
    plots = home / layout.CROSSVALIDATION_PLOTS
    page.write(path, plots, title, subtitle, sections, with_numbers=False)
    return path


def _summary(
    config: CrossvalidateConfig, result: Mapping[str, Any], problem: Problem
) -> list[Part]:
    tiles = [
        KeyNumber(
            metric_names.title(name),
            f"{figure['mean']:.3f}",
            f"± {figure['sd']:.3f} over folds, 95 % interval {figure['low']:.3f} to "
            f"{figure['high']:.3f}",
        )
        for name in problem.columns
        if (figure := result["figures"][name]) is not None
    ]
    repeats = f", {config.repeats} times" if config.repeats > 1 else ""
    facts = {
        "Task": config.task,
        "Encoder": config.encoder,
        "Trained": f"policy {', '.join(config.policy)}; epochs {config.epochs}, batch size "
        f"{config.batch_size or 'by tokens'}, learning rate {config.learning_rate}",
        "Folds": f"{config.folds}{repeats}; each example is predicted by a model that was not "
        "trained on it",
        "Intervals": f"{result['interval']['method']}; "
        f"{result['interval']['degrees_of_freedom']} degrees of freedom",
    }
    parts: list[Part] = [KeyNumbers(tiles)] if tiles else []
    if len({fold["best_epoch"] for fold in result["folds"]}) > 1:
        parts.append(Notice(OPTIMISTIC))
    return [*parts, Facts(facts)]


def _folds(result: Mapping[str, Any], problem: Problem) -> list[Part]:
    folds = result["folds"]
    has_repeats = folds[-1]["repeat"] > 0
    names = [f"{f['repeat']}.{f['fold']}" if has_repeats else str(f["fold"]) for f in folds]
    plots: list[Part] = []
    for metric in problem.columns:
        if (mean := result["figures"][metric]) is None:
            continue
        values = [Interval(name, f[metric]) for name, f in zip(names, folds, strict=True)]
        rows = [*values, Interval("mean", mean["mean"], mean["low"], mean["high"], is_main=True)]
        title = metric_names.title(metric)
        alt = f"Mean {mean['mean']:.4f}, between {min(f[metric] for f in folds):.4f} and "
        alt += f"{max(f[metric] for f in folds):.4f}."
        size = (4.5, 0.9 + 0.26 * len(rows))
        drawing = Intervals(rows, metric_names.words(metric))
        plots.append(Plot(f"{metric}_by_fold", f"{title} by fold", drawing, alt, size=size))
    heads = [metric_names.title(name) for name in problem.columns]
    columns: list[str | Column] = [
        *(["repeat"] if has_repeats else []),
        *("fold", *map(Column, heads), "examples", "best epoch", Column("seconds", "{:,.0f}")),
    ]
    cells: list[list[Cell]] = [
        [
            *([fold["repeat"]] if has_repeats else []),
            *(fold["fold"], *(fold[name] for name in problem.columns), fold["examples"]),
            *(fold["best_epoch"], fold["seconds"]),
        ]
        for fold in folds
    ]
    return [*plots, Table("folds", "Each fold", columns, cells)]


def _predictions(rows: Rows, problem: Problem) -> Section:
    """Return tables and plots of the out-of-fold predictions, as of a run's test split."""
    parts = problem.page_parts(rows, None, {})
    # What was tuned differs from fold to fold, so there is no threshold to start from.
    parts = [p for p in parts if not (problem.needs_tuning and isinstance(p, Slider))]
    if not parts:
        parts = [Missing("Predictions", f"a {problem.kind} has no tables of predictions.")]
        return Section("Predictions", "predictions", parts)
    return Section("Predictions", "predictions", [Notice(POOLED, "info"), *parts])


def _commands(home: pathlib.Path) -> list[Part]:
    settings = home / layout.CROSSVALIDATION_SETTINGS
    return [
        Code(
            commands.line("crossvalidate", flagfile=settings, restart=True),
            "Train the folds again",
        ),
        Code(
            f"{commands.line('compare', home)} <another cross-validation>",
            "Compare with another recipe on the same folds",
        ),
    ]
