"""Bar charts and histograms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.figures import style


@dataclass(frozen=True)
class Bars:
    """Draws horizontal bars, the first at the top, each with its value.

    Attributes:
        values: by name.
        x_label: what they are.
        format: of the values.
        limits: of the axis; None for matplotlib's own.
    """

    values: Mapping[str, float]
    x_label: str
    format: str = "{:,.0f}"
    limits: tuple[float, float] | None = None

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes = figure.subplots()
        names, values = list(self.values), list(self.values.values())
        bars = axes.barh(range(len(names)), values, color=style.BLUE, height=0.7)
        axes.bar_label(bars, [self.format.format(value) for value in values], padding=3, fontsize=8)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel=self.x_label, xlim=self.limits)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.15)


@dataclass(frozen=True)
class StackedBars:
    """Draws horizontal bars, each of several parts, with a legend.

    Attributes:
        names: of the bars, the first at the top.
        parts: the values of each part, one for each bar, by name.
        x_label: what they are.
    """

    names: Sequence[str]
    parts: Mapping[str, Sequence[float]]
    x_label: str

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes = figure.subplots()
        left, colors = np.zeros(len(self.names)), (*style.SERIES, style.MUTED)
        named = []
        for (name, values), color in zip(self.parts.items(), colors, strict=False):
            drawn = axes.barh(range(len(left)), values, left=left, color=color, height=0.7)
            named.append((drawn, name))
            left = left + np.asarray(values)
        axes.set_yticks(range(len(self.names)), self.names)
        axes.set(xlabel=self.x_label)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        style.legend(figure, named, loc="outside upper left", ncols=3)


@dataclass(frozen=True)
class Histogram:
    """Draws histograms of one or several groups of numbers over the same bins.

    Attributes:
        groups: the numbers of each, by name.
        x_label: what they are.
        bins: how many.
        limits: of the axis; None for the range of the numbers.
        vertical: where to draw a line; None for none.
    """

    groups: Mapping[str, np.ndarray]
    x_label: str
    bins: int = 30
    limits: tuple[float, float] | None = None
    vertical: float | None = None

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes, everything = figure.subplots(), np.concatenate(list(self.groups.values()))
        low, high = self.limits or (float(everything.min()), float(everything.max()))
        edges = np.linspace(low, high if high > low else low + 1, self.bins + 1)
        named = []
        for (name, values), color in zip(self.groups.items(), style.SERIES, strict=False):
            options = {"color": color, "alpha": 0.65 if len(self.groups) > 1 else 1.0}
            *_, drawn = axes.hist(values, edges, **options)
            named.append((drawn, name))
        if self.vertical is not None:
            axes.axvline(self.vertical, color=style.MUTED, linestyle=":", linewidth=1.2)
        axes.set(xlabel=self.x_label, ylabel="examples")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        if len(self.groups) > 1:
            style.legend(axes, named)
