"""Plots of values with their intervals, one below the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.figures import style


@dataclass(frozen=True)
class Interval:
    """A value with its interval.

    Attributes:
        name: for the axis.
        value: the value.
        low, high: the ends of the interval; None for a value without one.
        is_main: whether it is drawn in the second colour, such as a mean below what it is of.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    is_main: bool = False


@dataclass(frozen=True)
class Intervals:
    """Draws a row for each value, the first at the top: a point, and a line for its interval.

    Attributes:
        rows: what to draw.
        x_label: what the values are.
        vertical: where to draw a line, such as at no difference; None for none.
    """

    rows: Sequence[Interval]
    x_label: str
    vertical: float | None = None

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes = figure.subplots()
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        if self.vertical is not None:
            axes.axvline(self.vertical, color=style.MUTED, linestyle="--", linewidth=1)
        for place, row in enumerate(self.rows):
            color = style.ORANGE if row.is_main else style.BLUE
            axes.plot(row.value, place, "o", color=color, markersize=5)
            if row.low is not None and row.high is not None:
                axes.plot([row.low, row.high], [place, place], color=color, linewidth=1.8)
        axes.set_yticks(range(len(self.rows)), [row.name for row in self.rows])
        axes.tick_params(axis="y", length=0)
        axes.set(xlabel=self.x_label, ylim=(len(self.rows) - 0.4, -0.6))
