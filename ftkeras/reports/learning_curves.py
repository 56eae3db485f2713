"""The learning curves of several recipes in one plot."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.reports import plots
from ftkeras.runs.reader import FinishedRun

# Most people with a colour vision deficiency can distinguish these: Okabe and Ito, 2008,
# https://jfly.uni-koeln.de/color/.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8ac00")
LINES = ("-", "--", ":", "-.")


def plot(
    path: pathlib.Path, recipes: Sequence[Sequence[FinishedRun]], names: Sequence[str]
) -> bool:
    """Write the plot of `figure` as a PNG file; return whether there were any curves to plot.

    Raises:
        UserError: if matplotlib is not installed.
    """
    plotted = figure(recipes, names)
    if plotted is not None:
        plots.save(plotted, path)
    return plotted is not None


def figure(recipes: Sequence[Sequence[FinishedRun]], names: Sequence[str]) -> Any:
    """Plot validation loss and metric over epochs: thin lines for runs, thick ones for means.

    Args:
        recipes: the runs of each recipe.
        names: of the recipes, for the legend.

    Returns:
        A matplotlib figure; None if there are no curves to plot.

    Raises:
        UserError: if matplotlib is not installed.
    """
    curves = [[rows for run in runs for rows in run.curves if rows] for runs in recipes]
    if not any(curves):
        return None
    shown = ("loss", recipes[0][0].problem.metric)
    drawn, panels = plots.new_figure(len(shown))
    for axes, metric in zip(panels, shown, strict=True):
        for number, (name, runs) in enumerate(zip(names, curves, strict=True)):
            _plot_recipe(axes, name, runs, f"val_{metric}", _style(number))
        axes.set_title(f"validation {metric}", fontsize=11)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    drawn.set_size_inches(8, 4 + 0.2 * len(recipes))
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower left", frameon=False, fontsize=8)
    return drawn


def _style(number: int) -> dict[str, str]:
    """Return the style of a recipe's lines; the markers make a single epoch visible."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": LINES[number // len(COLOURS) % len(LINES)],
        "marker": "o",
    }


def _plot_recipe(
    axes: Any,
    name: str,
    runs: Sequence[Sequence[Mapping[str, float]]],
    column: str,
    style: Mapping[str, str],
) -> None:
    lines = [{row["epoch"]: row[column] for row in rows if column in row} for rows in runs]
    lines = [line for line in lines if line]
    for line in lines if len(lines) > 1 else ():
        axes.plot(line.keys(), line.values(), linewidth=0.8, alpha=0.4, markersize=2, **style)
    epochs = sorted({epoch for line in lines for epoch in line})
    means = [np.mean([line[epoch] for line in lines if epoch in line]) for epoch in epochs]
    label = f"{name} (mean of {len(lines)})" if len(lines) > 1 else name
    axes.plot(epochs, means, linewidth=2, markersize=4, label=label, **style)
