"""The colours of plots, and how a plot becomes an SVG or PNG file.

Matplotlib is imported only to draw. Nothing here changes its global settings or uses pyplot.
"""

import io
import pathlib
import re
from typing import Any

from ftkeras.errors import UserError
from ftkeras.figures.parts import Plot
from ftkeras.support import files

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
SETTINGS = {
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


def check_matplotlib() -> None:
    """Raise UserError if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UserError("plots need matplotlib: pip install 'ftkeras[report]'") from None


def svg(plot: Plot) -> str:
    """Return a plot as a complete SVG document, deterministic and with a transparent background."""
    text = _rendered(plot, "svg", metadata={"Date": None}).decode("utf-8")
    return re.sub(r"font-family: [^;\"]*|(?<=px )'?DejaVu Sans'?[^;\"]*", _font, text)


def inline_svg(plot: Plot) -> str:
    """Return a plot as an `<svg>` element for a page, with the colours of its stylesheet."""
    text = svg(plot)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # Ids must be unique in a page.
    text = re.sub(r'(id="|"#|url\(#)', rf"\g<1>{plot.name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    head, body = text.split(">", 1)
    size = re.search(r'viewBox="[^"]*"', head)
    assert size is not None
    return f'<svg {size[0]} role="img" aria-labelledby="{plot.name}-caption">{body}'


def save(plot: Plot, folder: pathlib.Path) -> None:
    """Write a plot as a PNG file and as an SVG file into a folder."""
    files.write_text(folder / f"{plot.name}.svg", svg(plot))
    with files.replacing(folder / f"{plot.name}.png") as partial:
        partial.write_bytes(_rendered(plot, "png", dpi=200, facecolor="white"))


def _rendered(plot: Plot, kind: str, **options: Any) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=plot.size, layout="constrained")
        {"svg": FigureCanvasSVG, "png": FigureCanvasAgg}[kind](figure)
        plot.draw(figure)
        stream = io.BytesIO()
        figure.savefig(stream, format=kind, **{"facecolor": "none", **options})
    return stream.getvalue()


def _font(found: re.Match) -> str:
    return f"font-family: {FONTS}" if found[0].startswith("font-family") else FONTS
