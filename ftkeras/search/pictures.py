"""Pictures of a search, as SVG that stands in a page."""

import io
import math
import re
import statistics
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ftkeras.search.ranges import Interval, Parameter
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result

INK, GRID, BLUE, ORANGE, GREY = "#24292f", "#d8dee4", "#1f5fa8", "#d9730d", "#8c959f"
COLOURS = mpl.colormaps["viridis"]
# Longer labels are cut in the middle of a picture; the table has them whole.
LABEL_LETTERS = 24
STYLE = {
    "svg.fonttype": "none",  # letters stay letters: light, and they can be searched
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


def over_trials(results: Sequence[Result], objective: str) -> str:
    """The objective of each trial in the order of their beginning, and the best so far."""
    rows = sorted(results, key=lambda result: result.trial)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        axes = figure.subplots()
        done = [(n, r) for n, r in enumerate(rows, 1) if r.score is not None]
        better = min if objective == "loss" else max
        best, steps = None, []
        for number, row in done:
            if row.status == COMPLETED:
                best = row.score if best is None else better(best, row.score)
            if best is not None:
                steps.append((number, best))
        if steps:
            steps.append((len(rows) + 0.5, steps[-1][1]))
            axes.step(*zip(*steps, strict=True), where="post", color=ORANGE, label="best so far")
        for status, colour, label in ((COMPLETED, BLUE, "trial"), (PRUNED, GREY, "pruned")):
            of_status = [(n, r.score, r.sd or 0.0) for n, r in done if r.status == status]
            if of_status:
                x, y, sd = zip(*of_status, strict=True)
                axes.errorbar(x, y, sd, fmt="o", color=colour, ms=6, elinewidth=1, label=label)
        failed = [n for n, r in enumerate(rows, 1) if r.status == FAILED]
        for number in failed:
            axes.axvline(number, color=GREY, linewidth=1, linestyle=":")
        if failed:
            axes.plot([], [], color=GREY, linewidth=1, linestyle=":", label="failed")
        axes.set_xlim(0.5, max(1, len(rows)) + 0.5)
        axes.set_xticks(*_numbered(rows))
        axes.set_xlabel("trial")
        axes.set_ylabel(f"validation {objective}")
        if axes.get_legend_handles_labels()[1]:
            axes.legend(frameon=False, loc="best")
        return _svg(figure, "over_trials")


def over_parameters(
    results: Sequence[Result], parameters: Sequence[Parameter], objective: str
) -> str:
    """The objective over each parameter, in the trials that have it."""
    across = min(3, len(parameters))
    down = math.ceil(len(parameters) / across)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 2.9 * down), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False, sharey=True).flatten()
        scored = [result for result in results if result.score is not None]
        for axes, parameter in zip(grid, parameters, strict=False):
            _over_parameter(axes, parameter, [r for r in scored if parameter.name in r.values])
            axes.set_title(parameter.name, fontsize=10)
        for axes in grid[::across]:
            axes.set_ylabel(f"validation {objective}")
        for axes in grid[len(parameters) :]:
            axes.set_visible(False)
        return _svg(figure, "over_parameters")


def parallel(results: Sequence[Result], parameters: Sequence[Parameter], objective: str) -> str:
    """A line a trial through its values; what a trial has not is at the foot of the axis."""
    scored = sorted((r for r in results if r.score is not None), key=lambda r: r.score)
    if objective == "loss":
        scored.reverse()  # the best is drawn last, on top
    scores = [result.score for result in scored]
    low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(9, 4.4), layout="constrained")
        axes = figure.subplots()
        count = len(parameters)
        for place, parameter in enumerate(parameters):
            _upright(axes, place, parameter)
        _upright_score(axes, count, low, high)
        for rank, result in enumerate(scored):
            heights = [_height(p, result.values) for p in parameters]
            heights.append(_share(result.score, low, high))
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
        return _svg(figure, "parallel")


def _over_parameter(axes, parameter: Parameter, results: Sequence[Result]) -> None:
    scores = [result.score for result in results]
    values = [result.values[parameter.name] for result in results]
    if isinstance(parameter.domain, Interval):
        axes.plot(values, scores, "o", color=BLUE, ms=5)
        if parameter.domain.log:
            _logarithmic(axes)
        _with_room(axes, parameter.domain)
        return
    places = [parameter.domain.index(value) for value in values]
    # Side by side, where equal scores would hide each other.
    aside = [0.09 * (places[:n].count(place) % 5 - 2) for n, place in enumerate(places)]
    axes.plot(np.add(places, aside), scores, "o", color=BLUE, ms=5)
    for place in set(places):
        mean = statistics.fmean(s for s, p in zip(scores, places, strict=True) if p == place)
        axes.plot([place - 0.3, place + 0.3], [mean, mean], color=ORANGE, linewidth=2)
    axes.set_xlim(-0.6, len(parameter.domain) - 0.4)
    axes.set_xticks(range(len(parameter.domain)), [_cut(label) for label in parameter.domain])
    if max(map(len, parameter.domain)) * len(parameter.domain) > LABEL_LETTERS:
        axes.tick_params(axis="x", labelrotation=20)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")


def _logarithmic(axes) -> None:
    """An axis marked at 1, 2, 5, 10, …: powers of ten alone are too few for a rate's range."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(lambda value, place: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelsize=8)


def _with_room(axes, interval: Interval) -> None:
    low, high = interval.low, interval.high
    if interval.log:
        room = (high / low) ** 0.05
        axes.set_xlim(low / room, high * room)
    else:
        axes.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def _upright(axes, place: int, parameter: Parameter) -> None:
    axes.plot([place, place], [0, 1], color=GREY, linewidth=1, zorder=1)
    if parameter.conditions:
        axes.plot([place, place], [-0.14, 0], color=GREY, linewidth=1, linestyle=":", zorder=1)
        _label(axes, place, -0.14, "–")
    for end in parameter.ends:
        _label(axes, place, _height(parameter, {parameter.name: end}), _cut(_shown(end)))


def _upright_score(axes, place: int, low: float, high: float) -> None:
    axes.plot([place, place], [0, 1], color=GREY, linewidth=1, zorder=1)
    for height, value in ((0.0, low), (1.0, high)):
        _label(axes, place, height, f"{value:.4f}")


def _label(axes, place: int, height: float, text: str) -> None:
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
    axes.text(place + 0.02, height, text, fontsize=8, va="center", bbox=box, zorder=9)


def _height(parameter: Parameter, values: dict) -> float:
    """Where on its axis, from 0 to 1; below, where the trial has it not."""
    if parameter.name not in values:
        return -0.14
    value, domain = values[parameter.name], parameter.domain
    if not isinstance(domain, Interval):
        return _share(domain.index(value), 0, len(domain) - 1)
    scale = math.log if domain.log else float
    return _share(scale(value), scale(domain.low), scale(domain.high))


def _share(value: float, low: float, high: float) -> float:
    return 0.5 if high == low else (value - low) / (high - low)


def _numbered(rows: Sequence[Result]) -> tuple[list[int], list[str]]:
    every = max(1, math.ceil(len(rows) / 20))
    places = list(range(1, len(rows) + 1, every))
    return places, [str(int(rows[place - 1].trial)) for place in places]


def _cut(label: str) -> str:
    """A choice as a picture has room for it: the ranges inside are pictured on their own."""
    while (without := re.sub(r"\b(choice|uniform|log|int)\([^()]*\)", "…", label)) != label:
        label = without
    return label if len(label) <= LABEL_LETTERS else f"{label[: LABEL_LETTERS - 1]}…"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _svg(figure: Figure, name: str) -> str:
    """The figure as an element of a page; equal figures give equal text."""
    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
