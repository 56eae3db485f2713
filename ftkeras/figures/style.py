"""The colours of plots, and how a plot becomes an SVG or PNG file.

Matplotlib is imported only to draw. Nothing here changes its global settings or uses pyplot.
"""

import functools
import io
import logging
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ftkeras.figures.parts import Plot
from ftkeras.support.controls import CONTROLS

log = logging.getLogger(__name__)

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
# Fonts of a PNG file for characters that Matplotlib's own font lacks, if they are installed.
FALLBACKS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans Devanagari"),
    *("WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Arial Unicode MS"),
)
NO_GLYPHS = (
    "plots: no known font has some characters of their labels, so PNG files show boxes; SVG files "
    "and pages show the characters. Install a font such as Noto Sans CJK."
)
# What no XML document may contain.
_INVALID = re.compile(rf"[{CONTROLS}\ufffe\uffff]")
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

    settings: dict[Any, Any] = {**SETTINGS, "font.family": ["sans-serif", *_fallbacks()]}
    with matplotlib.rc_context(settings), _reporting_missing_glyphs():
        figure = Figure(figsize=plot.size, layout="constrained")
        FigureCanvasAgg(figure)
        plot.draw(figure)
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.savefig(png, format="png", dpi=200, facecolor="white")
    text = _INVALID.sub("�", svg.getvalue().decode("utf-8"))
    return Drawing(re.sub(r"(?<=px )'DejaVu Sans'[^;\"]*", FONTS, text), png.getvalue())


def legend(owner: Any, named: Sequence[tuple[Any, str]], **options: Any) -> None:
    """Draw a legend.

    Args:
        owner: the figure or axes that it belongs to.
        named: what was drawn, each with its name.
        **options: of matplotlib's legend.
    """
    drawn = [artist for artist, _ in named]
    # Matplotlib leaves out a label that begins with an underscore, so names are set afterwards.
    made = owner.legend(drawn, ["name"] * len(named), fontsize=8, **options)
    for text, (_, name) in zip(made.get_texts(), named, strict=True):
        text.set_text(name)


def _fallbacks() -> list[str]:
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return [name for name in FALLBACKS if name in installed]


@contextmanager
def _reporting_missing_glyphs() -> Iterator[None]:
    """Log one line instead of Matplotlib's warning for each character that no font has."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", "Glyph .* missing from")
        yield
    for one in caught:
        if match := re.match(r"Glyph (\d+) .* missing from", str(one.message)):
            # No font has control characters.
            if unicodedata.category(chr(int(match[1]))) != "Cc":
                say_once(NO_GLYPHS)
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


@functools.cache
def say_once(line: str) -> None:
    """Log a line the first time that this process says it."""
    log.warning("%s", line)


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
