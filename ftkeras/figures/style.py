"""The colours of plots, and how a plot becomes an SVG or PNG file.

Matplotlib is imported only to draw. Nothing here changes its global settings or uses pyplot.
"""

import io
import re
from dataclasses import dataclass
from typing import Any

from ftkeras.figures.parts import Plot

# Colours as files have them, on white. A page replaces each by the variable of its stylesheet, so
# that they change in the dark. People with a colour vision deficiency can distinguish the series:
# Okabe and Ito, 2008, https://jfly.uni-koeln.de/color/.
INK, MUTED, GRID, PAPER = "#1c2127", "#646d78", "#dde1e6", "#fefefe"
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
SERIES = (BLUE, ORANGE, GREEN, PINK)
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
    PINK: "--pink",
}
# Text stays text in an SVG: it is smaller, can be searched, and has the font of the page.
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ftkeras",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # a label with two dollar signs is no formula
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.facecolor": "none",
}
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Drawing:
    """A plot as files: a complete SVG document with a transparent background, and a PNG file."""

    svg: str
    png: bytes


def draw(plot: Plot) -> Drawing:
    """Draw a plot; the same plot always gives the same SVG."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=plot.size, layout="constrained")
        FigureCanvasAgg(figure)
        plot.draw(figure)
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.savefig(png, format="png", dpi=200, facecolor="white")
    text = svg.getvalue().decode("utf-8")
    return Drawing(re.sub(r"(?<=px )'DejaVu Sans'[^;\"]*", FONTS, text), png.getvalue())


def inline(name: str, svg: str) -> str:
    """Return an SVG document as an element of a page, with the colours of its stylesheet.

    Args:
        name: of the plot.
        svg: the document.
    """
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # Ids must be unique in a page.
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    head, body = text.split(">", 1)
    size = re.search(r'viewBox="[^"]*"', head)
    assert size is not None
    return f'<svg {size[0]} role="img" aria-labelledby="{name}-caption">{body}'
