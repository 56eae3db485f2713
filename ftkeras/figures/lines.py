"""Plots of lines over a common axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.figures import style


@dataclass(frozen=True)
class Line:
    """A line of a plot.

    Attributes:
        name: for the legend.
        points: each with x and y.
        color: one of `style.SERIES`.
        style: of matplotlib, such as "--".
        marker: of matplotlib; "" for none.
    """

    name: str
    points: Sequence[tuple[float, float]]
    color: str = style.BLUE
    style: str = "-"
    marker: str = ""


@dataclass(frozen=True)
class Lines:
    """Draws lines.

    Attributes:
        lines: what to draw.
        x_label, y_label: of the axes.
        x_limits, y_limits: of the axes; None for matplotlib's own.
        vertical: where to draw a vertical line, and what it is; None for none.
        whole_numbers: whether x counts something, such as epochs.
        legend: where matplotlib puts it, if there are several lines.
    """

    lines: Sequence[Line]
    x_label: str
    y_label: str
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    vertical: tuple[float, str] | None = None
    whole_numbers: bool = False
    legend: str = "best"

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes = figure.subplots()
        axes.grid(axis="y")
        named = []
        for line in self.lines:
            options = {"linestyle": line.style, "marker": line.marker, "markersize": 4}
            drawn = axes.plot(*zip(*line.points, strict=True), color=line.color, **options)
            named.append((drawn[0], line.name))
        if self.vertical is not None:
            at, name = self.vertical
            drawn = axes.axvline(at, color=style.MUTED, linestyle=":", linewidth=1.2)
            named.append((drawn, name))
        axes.set(xlabel=self.x_label, ylabel=self.y_label, xlim=self.x_limits, ylim=self.y_limits)
        if self.whole_numbers:
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if len(self.lines) > 1 or self.vertical is not None:
            style.legend(axes, named, loc=self.legend)
