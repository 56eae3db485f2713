"""Plots of a search as SVG elements for a page."""

import io
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ftkeras.problems import is_lower_better
from ftkeras.search.ranges import Interval, Parameter
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result

INK, GRID, BLUE, ORANGE, GREY = "#24292f", "#d8dee4", "#1f5fa8", "#d9730d", "#8c959f"
COLOURS = mpl.colormaps["viridis"]
# Longer labels are cut; the page's table has them in full.
LABEL_LENGTH = 24
# Where a line passes an axis of a parameter that the trial does not have; the axis is [0, 1].
BELOW = -0.14
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text instead of outlines: small, and can be searched
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}


def progress(results: Sequence[Result], objective: str) -> str:
    """Plot the score of each trial in the order in which they started, and the best so far."""
    rows = sorted(results, key=lambda result: result.trial)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        axes = figure.subplots()
        _plot_best_so_far(axes, rows, objective)
        _plot_scores(axes, rows)
        _plot_failures(axes, rows)
        axes.set_xlim(0.5, max(1, len(rows)) + 0.5)
        axes.set_xticks(*_trial_ticks(rows))
        axes.set_xlabel("trial")
        axes.set_ylabel(f"validation {objective}")
        if axes.get_legend_handles_labels()[1]:
            axes.legend(frameon=False, loc="best")
        return _svg(figure, "progress")


def by_parameter(results: Sequence[Result], parameters: Sequence[Parameter], objective: str) -> str:
    """Plot the score against each parameter, for the trials that have it."""
    columns = min(3, len(parameters))
    rows = math.ceil(len(parameters) / columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 2.9 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True).flatten()
        scored = [result for result in results if result.score is not None]
        for axes, parameter in zip(grid, parameters, strict=False):
            own = [result for result in scored if parameter.name in result.values]
            if isinstance(parameter.domain, Interval):
                _plot_interval(axes, parameter.name, parameter.domain, own)
            else:
                _plot_choice(axes, parameter.name, parameter.domain, own)
            axes.set_title(parameter.name, fontsize=10)
        for axes in grid[::columns]:
            axes.set_ylabel(f"validation {objective}")
        for axes in grid[len(parameters) :]:
            axes.set_visible(False)
        return _svg(figure, "by_parameter")


def parallel_coordinates(
    results: Sequence[Result], parameters: Sequence[Parameter], objective: str
) -> str:
    """Plot each trial as a line through its values to its score."""
    scored = sorted((r for r in results if r.score is not None), key=_score)
    if is_lower_better(objective):
        scored.reverse()  # the best is plotted last, on top
    scores = list(map(_score, scored))
    low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(9, 4.4), layout="constrained")
        axes = figure.subplots()
        count = len(parameters)
        for position, parameter in enumerate(parameters):
            _plot_axis(axes, position, parameter)
        _plot_score_axis(axes, count, low, high)
        for rank, result in enumerate(scored):
            heights = [_height(parameter, result.values) for parameter in parameters]
            heights.append(_fraction(_score(result), low, high))
            good = rank / max(1, len(scored) - 1)
            axes.plot(
                range(count + 1),
                heights,
                color=COLOURS(1 - good),
                linewidth=1.2 + 1.6 * (rank == len(scored) - 1),
                alpha=0.35 + 0.65 * good,
                zorder=3 + good,
            )
        axes.set_xlim(-0.3, count + 0.3)
        axes.set_ylim(-0.22, 1.06)
        axes.set_xticks(range(count + 1), [*(p.name for p in parameters), objective])
        axes.tick_params(axis="x", length=0, labelrotation=12 if count > 4 else 0)
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        return _svg(figure, "parallel_coordinates")


def _score(result: Result) -> float:
    """Return the score of a result that has one."""
    assert result.score is not None
    return result.score


def _plot_best_so_far(axes: Axes, rows: Sequence[Result], objective: str) -> None:
    better = min if is_lower_better(objective) else max
    best, steps = None, []
    for number, row in enumerate(rows, 1):
        if row.status == COMPLETED:
            best = _score(row) if best is None else better(best, _score(row))
        if best is not None and row.score is not None:
            steps.append((number, best))
    if steps:
        steps.append((len(rows) + 0.5, steps[-1][1]))
        axes.step(*zip(*steps, strict=True), where="post", color=ORANGE, label="best so far")


def _plot_scores(axes: Axes, rows: Sequence[Result]) -> None:
    for status, colour in ((COMPLETED, BLUE), (PRUNED, GREY)):
        scored = [
            (number, row.score, row.sd or 0.0)
            for number, row in enumerate(rows, 1)
            if row.status == status and row.score is not None
        ]
        if scored:
            x, y, sd = zip(*scored, strict=True)
            label = status + " ± sd" * any(sd)
            axes.errorbar(x, y, sd, fmt="o", color=colour, ms=6, elinewidth=1, label=label)


def _plot_failures(axes: Axes, rows: Sequence[Result]) -> None:
    style = {"color": GREY, "linewidth": 1, "linestyle": ":"}
    failed = [number for number, row in enumerate(rows, 1) if row.status == FAILED]
    for number in failed:
        axes.axvline(number, **style)
    if failed:
        axes.plot([], [], label=FAILED, **style)


def _plot_interval(axes: Axes, name: str, interval: Interval, results: Sequence[Result]) -> None:
    values = [result.values[name] for result in results]
    axes.plot(values, list(map(_score, results)), "o", color=BLUE, ms=5)
    low, high = interval.low, interval.high
    if interval.log:
        _use_log_scale(axes, high / low)
        margin = (high / low) ** 0.05
        axes.set_xlim(low / margin, high * margin)
    else:
        margin = 0.05 * (high - low)
        axes.set_xlim(low - margin, high + margin)


def _plot_choice(axes: Axes, name: str, labels: Sequence[str], results: Sequence[Result]) -> None:
    scores = list(map(_score, results))
    positions = [labels.index(result.values[name]) for result in results]
    # Points side by side, because equal scores would hide each other.
    offsets = [0.09 * (positions[:n].count(x) % 5 - 2) for n, x in enumerate(positions)]
    axes.plot(np.add(positions, offsets), scores, "o", color=BLUE, ms=5)
    for x in set(positions):
        mean = statistics.fmean(s for s, p in zip(scores, positions, strict=True) if p == x)
        axes.plot([x - 0.3, x + 0.3], [mean, mean], color=ORANGE, linewidth=2)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.set_xticks(range(len(labels)), [_shortened(label) for label in labels])
    if max(map(len, labels)) * len(labels) > LABEL_LENGTH:
        axes.tick_params(axis="x", labelrotation=20)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")


def _use_log_scale(axes: Axes, ratio: float) -> None:
    """Use a logarithmic scale with more ticks than powers of ten if the ends' ratio is small."""
    subs = (1.0, 2.0, 5.0) if ratio <= 20 else (1.0, 3.0) if ratio <= 200 else (1.0,)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}".replace("e-0", "e-"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelsize=8)


def _plot_axis(axes: Axes, x: int, parameter: Parameter) -> None:
    """Plot a parameter's vertical axis with the labels of its ends or choices."""
    axes.plot([x, x], [0, 1], color=GREY, linewidth=1, zorder=1)
    if parameter.conditions:
        axes.plot([x, x], [BELOW, 0], color=GREY, linewidth=1, linestyle=":", zorder=1)
        _label(axes, x, BELOW, "–")
    for end in parameter.ends:
        text = f"{end:g}" if isinstance(end, float) else str(end)
        _label(axes, x, _height(parameter, {parameter.name: end}), _shortened(text))


def _plot_score_axis(axes: Axes, x: int, low: float, high: float) -> None:
    axes.plot([x, x], [0, 1], color=GREY, linewidth=1, zorder=1)
    for height, value in ((0.0, low), (1.0, high)):
        _label(axes, x, height, f"{value:.4f}")


def _label(axes: Axes, x: int, height: float, text: str) -> None:
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
    axes.text(x + 0.02, height, text, fontsize=8, va="center", bbox=box, zorder=9)


def _height(parameter: Parameter, values: Mapping[str, Any]) -> float:
    """Return the height of a trial's value on the axis, from 0 to 1; BELOW if it has none."""
    if parameter.name not in values:
        return BELOW
    value, domain = values[parameter.name], parameter.domain
    if not isinstance(domain, Interval):
        return _fraction(domain.index(value), 0, len(domain) - 1)
    scale = math.log if domain.log else float
    return _fraction(scale(value), scale(domain.low), scale(domain.high))


def _fraction(value: float, low: float, high: float) -> float:
    return 0.5 if high == low else (value - low) / (high - low)


def _trial_ticks(rows: Sequence[Result]) -> tuple[list[int], list[str]]:
    """Return positions and labels of at most 20 trials."""
    every = max(1, math.ceil(len(rows) / 20))
    positions = list(range(1, len(rows) + 1, every))
    return positions, [str(int(rows[position - 1].trial)) for position in positions]


def _shortened(label: str) -> str:
    """Return a choice's label without the ranges inside it, which have plots of their own."""
    while (without := re.sub(r"\b(choice|uniform|log|int)\([^()]*\)", "…", label)) != label:
        label = without
    return label if len(label) <= LABEL_LENGTH else f"{label[: LABEL_LENGTH - 1]}…"


def _svg(figure: Figure, name: str) -> str:
    """Return the figure as an SVG element; equal figures give equal text."""
    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
