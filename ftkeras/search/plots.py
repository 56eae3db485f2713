"""Plots of a search, drawn on matplotlib figures."""

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.figures.style import BLUE, MUTED, ORANGE, PAPER
from ftkeras.problems import is_lower_better
from ftkeras.search.ranges import Interval, Parameter
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result, rank

# Longer labels are cut; the page's table has them in full.
LABEL_LENGTH = 24
# Where a line passes an axis of a parameter that the trial does not have; the axis is [0, 1].
BELOW = -0.14
MOST_COLUMNS = 3


@dataclass(frozen=True)
class Progress:
    """Draws the score of each trial in the order in which they started, and the best so far.

    Attributes:
        results: the trials.
        objective: the metric that scores them.
    """

    results: Sequence[Result]
    objective: str

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        rows = sorted(self.results, key=lambda result: result.trial)
        axes = figure.subplots()
        axes.grid()
        _plot_best_so_far(axes, rows, self.objective)
        _plot_scores(axes, rows)
        _plot_failures(axes, rows)
        axes.set_xlim(0.5, max(1, len(rows)) + 0.5)
        axes.set_xticks(*_trial_ticks(rows))
        axes.set_xlabel("trial")
        axes.set_ylabel(f"validation {self.objective}")
        if axes.get_legend_handles_labels()[1]:  # above the plot, where no bar can cross it
            figure.legend(loc="outside upper left", ncols=4, fontsize=8)


@dataclass(frozen=True)
class ByParameter:
    """Draws the score against each parameter, for the trials that have it.

    Attributes:
        results: the trials.
        parameters: of the search space; a panel for each.
        objective: the metric that scores the trials.
    """

    results: Sequence[Result]
    parameters: Sequence[Parameter]
    objective: str

    @staticmethod
    def rows(parameters: int) -> int:
        """Return the rows of panels of this number of parameters."""
        return math.ceil(parameters / MOST_COLUMNS)

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        count = len(self.parameters)
        columns = min(MOST_COLUMNS, count)
        shape = (self.rows(count), columns)
        grid = figure.subplots(*shape, squeeze=False, sharey=True).flatten()
        scored = _scored(self.results)
        for axes, parameter in zip(grid, self.parameters, strict=False):
            axes.grid()
            own = [result for result in scored if parameter.name in result.values]
            if isinstance(parameter.domain, Interval):
                _plot_interval(axes, parameter.name, parameter.domain, own)
            else:
                _plot_choice(axes, parameter.name, parameter.domain, own)
            axes.set_title(parameter.name, fontsize=10)
        for axes in grid[::columns]:
            axes.set_ylabel(f"validation {self.objective}")
        for axes in grid[count:]:
            axes.set_visible(False)


@dataclass(frozen=True)
class ParallelCoordinates:
    """Draws each trial as a line through its values to its score.

    Attributes:
        results: the trials.
        parameters: of the search space; an axis for each.
        objective: the metric that scores the trials.
    """

    results: Sequence[Result]
    parameters: Sequence[Parameter]
    objective: str

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        # The best is plotted last, on top; before it those that were pruned, by their first folds.
        scored = rank(_scored(self.results), self.objective)[::-1]
        scores = list(map(_score, scored))
        low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
        axes, count = figure.subplots(), len(self.parameters)
        for position, parameter in enumerate(self.parameters):
            _plot_axis(axes, position, parameter)
        _plot_score_axis(axes, count, low, high)
        for place, result in enumerate(scored):
            heights = [_height(parameter, result.values) for parameter in self.parameters]
            heights.append(_fraction(_score(result), low, high))
            good = place / max(1, len(scored) - 1)
            is_best = place == len(scored) - 1 and result.status == COMPLETED
            axes.plot(
                range(count + 1),
                heights,
                color=ORANGE if is_best else BLUE,
                linewidth=2.8 if is_best else 1.2,
                alpha=1.0 if is_best else 0.25 + 0.6 * good,
                zorder=3 + good,
            )
        names = [*(parameter.name for parameter in self.parameters), self.objective]
        axes.set(xlim=(-0.3, count + 0.3), ylim=(-0.22, 1.06))
        axes.set_xticks(range(count + 1), names)
        axes.tick_params(axis="x", length=0, labelrotation=12 if count > 4 else 0)
        axes.set_yticks([])
        axes.spines[:].set_visible(False)


def _scored(results: Sequence[Result]) -> list[Result]:
    """Return the trials that completed or were pruned; the scores of failed ones are partial."""
    return [one for one in results if one.status != FAILED and one.score is not None]


def _score(result: Result) -> float:
    """Return the score of a result that has one."""
    assert result.score is not None
    return result.score


def _plot_best_so_far(axes: Any, rows: Sequence[Result], objective: str) -> None:
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


def _plot_scores(axes: Any, rows: Sequence[Result]) -> None:
    for status, colour in ((COMPLETED, BLUE), (PRUNED, MUTED)):
        scored = [
            (number, row.score, row.sd or 0.0)
            for number, row in enumerate(rows, 1)
            if row.status == status and row.score is not None
        ]
        if scored:
            x, y, sd = zip(*scored, strict=True)
            label = status + " ± sd" * any(sd)
            axes.errorbar(x, y, sd, fmt="o", color=colour, ms=6, elinewidth=1, label=label)


def _plot_failures(axes: Any, rows: Sequence[Result]) -> None:
    style = {"color": MUTED, "linewidth": 1, "linestyle": ":"}
    failed = [number for number, row in enumerate(rows, 1) if row.status == FAILED]
    for number in failed:
        axes.axvline(number, **style)
    if failed:
        axes.plot([], [], label=FAILED, **style)


def _plot_interval(axes: Any, name: str, interval: Interval, results: Sequence[Result]) -> None:
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


def _plot_choice(axes: Any, name: str, labels: Sequence[str], results: Sequence[Result]) -> None:
    scores = list(map(_score, results))
    positions = [labels.index(result.values[name]) for result in results]
    # Points side by side, because equal scores would hide each other.
    offsets = [0.09 * (positions[:n].count(x) % 5 - 2) for n, x in enumerate(positions)]
    axes.plot(np.add(positions, offsets), scores, "o", color=BLUE, ms=5)
    for x, label in enumerate(labels):
        own = [r for r in results if r.values[name] == label and r.status == COMPLETED]
        if own:
            mean = statistics.fmean(map(_score, own))
            axes.plot([x - 0.3, x + 0.3], [mean, mean], color=ORANGE, linewidth=2)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.set_xticks(range(len(labels)), [_shortened(label) for label in labels])
    if max(map(len, labels)) * len(labels) > LABEL_LENGTH:
        axes.tick_params(axis="x", labelrotation=20)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")


def _use_log_scale(axes: Any, ratio: float) -> None:
    """Use a logarithmic scale with more ticks than powers of ten if the ends' ratio is small."""
    from matplotlib.ticker import LogLocator, NullFormatter

    subs = (1.0, 2.0, 5.0) if ratio <= 20 else (1.0, 3.0) if ratio <= 200 else (1.0,)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}".replace("e-0", "e-"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelsize=8)


def _plot_axis(axes: Any, x: int, parameter: Parameter) -> None:
    """Plot a parameter's vertical axis with the labels of its ends or choices."""
    axes.plot([x, x], [0, 1], color=MUTED, linewidth=1, zorder=1)
    if parameter.conditions:
        axes.plot([x, x], [BELOW, 0], color=MUTED, linewidth=1, linestyle=":", zorder=1)
        _label(axes, x, BELOW, "–")
    for end in parameter.ends:
        text = f"{end:g}" if isinstance(end, float) else str(end)
        _label(axes, x, _height(parameter, {parameter.name: end}), _shortened(text))


def _plot_score_axis(axes: Any, x: int, low: float, high: float) -> None:
    axes.plot([x, x], [0, 1], color=MUTED, linewidth=1, zorder=1)
    for height, value in ((0.0, low), (1.0, high)):
        _label(axes, x, height, f"{value:.4f}")


def _label(axes: Any, x: int, height: float, text: str) -> None:
    box = {"facecolor": PAPER, "alpha": 0.8, "edgecolor": "none", "pad": 1}
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
