"""A matrix of counts as a heat map, such as a confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.figures import style
from ftkeras.support.short_names import shorten

# Cells of more rows than this are too small for numbers.
MOST_WITH_NUMBERS = 12
LABEL_WIDTH = 24


@dataclass(frozen=True)
class HeatMap:
    """Draws a matrix of counts; the stronger the colour of a cell, the larger its share of its row.

    Attributes:
        counts: integer [rows, columns].
        row_labels, column_labels: their names.
        y_label, x_label: what rows and columns are.
        totals: what the counts of each row are shares of; None for their sum.
    """

    counts: np.ndarray
    row_labels: Sequence[str]
    column_labels: Sequence[str]
    y_label: str
    x_label: str
    totals: np.ndarray | None = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that leave room for the labels."""
        rows, columns = self.counts.shape
        if rows <= MOST_WITH_NUMBERS:
            margin = 0.6 + 0.07 * max(min(len(name), LABEL_WIDTH) for name in self.row_labels)
            cell = 0.72 if rows <= 4 else 0.62
            return max(4.5, margin + cell * columns), max(3.2, 0.9 + 0.5 * rows)
        side = 1.9 + columns * min(max(4.5 / columns, 0.115), 0.3)
        return side, side

    def __call__(self, figure: Any) -> None:
        """Draw it on an empty matplotlib figure."""
        from matplotlib.collections import PatchCollection
        from matplotlib.colors import to_rgba
        from matplotlib.patches import Rectangle

        totals = self.counts.sum(axis=1) if self.totals is None else self.totals
        shares = self.counts / np.maximum(totals, 1)[:, np.newaxis]
        (rows, columns), axes = self.counts.shape, figure.subplots()
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
        axes.set(xlabel=self.x_label, ylabel=self.y_label)
        places = np.argwhere(self.counts)
        cells = [Rectangle((column - 0.5, row - 0.5), 1, 1) for row, column in places]
        # Transparent instead of pale, so that it is as readable on a dark page.
        colors = [to_rgba(style.BLUE, _strength(float(shares[r, c]))) for r, c in places]
        drawn = PatchCollection(cells, facecolors=colors, linewidths=0)
        drawn.set_in_layout(False)
        axes.add_collection(drawn)
        self._label(axes, small=rows > MOST_WITH_NUMBERS)
        if rows <= MOST_WITH_NUMBERS:
            self._write_numbers(axes, shares)

    def _write_numbers(self, axes: Any, shares: np.ndarray) -> None:
        size = 9 if len(shares) <= 6 else 7.5
        for (row, column), count in np.ndenumerate(self.counts):
            color = style.PAPER if _strength(float(shares[row, column])) > 0.6 else style.INK
            text = f"{count:,}\n{shares[row, column]:.0%}" if count else "0"
            place = {"ha": "center", "va": "center", "fontsize": size}
            axes.text(column, row, text, color=color if count else style.MUTED, **place)

    def _label(self, axes: Any, *, small: bool) -> None:
        columns, rows = (
            shorten(names, LABEL_WIDTH) for names in (self.column_labels, self.row_labels)
        )
        turned = small or sum(map(len, columns)) > 40
        size = max(5.5, min(9.0, 500 / len(rows))) if small else 9
        options = {"rotation": 90 if small else 35, "ha": "center" if small else "right"}
        options = {**options, "rotation_mode": "default" if small else "anchor"} if turned else {}
        axes.set_xticks(range(len(columns)), columns, fontsize=size, **options)
        axes.set_yticks(range(len(rows)), rows, fontsize=size)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(True)
        axes.spines[:].set_color(style.GRID)
        if small:
            axes.grid(linewidth=0.4)
            axes.set_axisbelow(True)


def order_by_similarity(counts: np.ndarray) -> np.ndarray:
    """Return an order of classes in which those that are confused stand next to each other.

    The distance of two classes is 1 less the share of the examples of both that are taken for the
    other one; the order is that of the leaves of a hierarchical clustering with average linkage.

    Source: Bar-Joseph et al., 2001, https://doi.org/10.1093/bioinformatics/17.suppl_1.S22.

    Args:
        counts: a confusion matrix, integer [classes, classes].
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    shares = counts / np.maximum(counts.sum(axis=1), 1)[:, np.newaxis]
    distances = 1 - np.clip((shares + shares.T) / 2, 0, 1)
    np.fill_diagonal(distances, 0)
    condensed = squareform(distances, checks=False)
    return leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed))


def _strength(share: float) -> float:
    """Return how opaque a cell is: the root shows rare confusions as well."""
    return 0.06 + 0.9 * share**0.6
