"""Scatter plots of predicted against true numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.figures import style

# More points than this cover each other, and make the page larger.
MOST_POINTS = 1500


@dataclass(frozen=True)
class Scatter:
    """Draws points, of many only some, evenly spread over the order in which they come.

    Attributes:
        x, y: float [points].
        x_label, y_label: of the axes.
        diagonal: whether to draw the line y = x.
        zero: whether to draw the line y = 0.
    """

    x: np.ndarray
    y: np.ndarray
    x_label: str
    y_label: str
    diagonal: bool = False
    zero: bool = False

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes, x, y = figure.subplots(), self.x, self.y
        if len(x) > MOST_POINTS:
            places = np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(int)
            x, y = x[places], y[places]
        alpha = float(np.clip(40 / np.sqrt(len(x)) / 5, 0.2, 0.8))
        axes.plot(x, y, ".", color=style.BLUE, alpha=alpha, markersize=5, markeredgewidth=0)
        if self.diagonal:
            ends = [min(x.min(), y.min()), max(x.max(), y.max())]
            axes.plot(ends, ends, color=style.ORANGE, linestyle="--", linewidth=1.2)
        if self.zero:
            axes.axhline(0, color=style.ORANGE, linestyle="--", linewidth=1.2)
        axes.set(xlabel=self.x_label, ylabel=self.y_label)
        axes.grid()
        axes.set_axisbelow(True)
