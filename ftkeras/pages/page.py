"""Turn sections into one HTML file, and save their plots and numbers beside it."""

import base64
import hashlib
import importlib.resources
import logging
import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ftkeras.errors import UserError
from ftkeras.figures import style
from ftkeras.figures.parts import Cell, Column, Marked, Missing, Plot, Section, Table
from ftkeras.support import files

log = logging.getLogger(__name__)

LONG_TEXT = 80  # characters
INSTALL = "pages need matplotlib and jinja2: pip install 'ftkeras[report]'"


def check_packages() -> None:
    """Raise UserError if a package that pages need is not installed."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError:
        raise UserError(INSTALL) from None


def write_if_installed(write: Callable[[], pathlib.Path], label: str = "page    ") -> None:
    """Write a page and log its path; without the packages it needs, log one line that names them.

    Args:
        write: writes the page, and returns its path.
        label: the beginning of the line.
    """
    try:
        check_packages()
    except UserError as error:
        log.info("%s", f"{label}not written: {error}")
        return
    log.info("%s", f"{label}{write()}")


def section_or_reason(name: str, build: Callable[[], Section]) -> Section:
    """Return a section; if it fails, one with a line that says so, and log a warning.

    A mistake in one section must not cost the others, or a training that has taken hours.

    Args:
        name: the anchor of the section, if it fails.
        build: returns the section.
    """
    try:
        return build()
    except Exception as error:
        log.warning("%s", f"page: the section {name} failed: {error!r}", exc_info=True)
        return Section(name.capitalize(), name, [Missing("This section", f"failed: {error!r}")])


def write(
    path: pathlib.Path,
    plots: pathlib.Path,
    title: str,
    subtitle: str,
    sections: Sequence[Section],
    *,
    with_numbers: bool = True,
) -> None:
    """Write a page atomically, its plots as files, and its numbers as JSON.

    Args:
        path: the HTML file. The JSON file has its name and ends in .json.
        plots: the folder of PNG and SVG files; created if necessary.
        title: of the page.
        subtitle: below it.
        sections: its content.
        with_numbers: whether to write the JSON file, unless another file has these numbers.
    """
    plots.mkdir(parents=True, exist_ok=True)
    drawings = {}
    for plot in (part for section in sections for part in section.parts):
        if isinstance(plot, Plot):
            drawings[plot.name] = drawing = style.draw(plot)
            files.write_text(plots / f"{plot.name}.svg", drawing.svg)
            with files.replacing(plots / f"{plot.name}.png") as partial:
                partial.write_bytes(drawing.png)
    if with_numbers:
        files.write_json(path.with_suffix(".json"), figures(sections))
    svgs = {name: drawing.svg for name, drawing in drawings.items()}
    files.write_text(path, html(title, subtitle, sections, svgs))


def html(title: str, subtitle: str, sections: Sequence[Section], svgs: Mapping[str, str]) -> str:
    """Return a page that needs no other file.

    Args:
        title: of the page.
        subtitle: below it.
        sections: its content.
        svgs: each plot as an SVG document, by its name.
    """
    import jinja2

    script, stylesheet = _asset("page.js"), _asset("page.css")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    environment.filters |= {"shown": shown, "sort_key": sort_key, "color": mark_color}
    template = environment.from_string(_asset("page.html"))
    return template.render(
        title=title,
        subtitle=subtitle,
        sections=sections,
        svg=lambda name: style.inline(name, svgs[name]),
        column=_column,
        number_columns=_number_columns,
        is_marked=lambda cell: isinstance(cell, Marked),
        has_texts=_has_texts,
        stylesheet=stylesheet,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def figures(sections: Sequence[Section]) -> dict[str, Any]:
    """Return the numbers of the sections, JSON types only: those of tables as lists of rows."""
    by_section = {}
    for section in sections:
        tables = {part.name: _rows(part) for part in section.parts if isinstance(part, Table)}
        by_section[section.anchor] = {**section.figures, **tables}
    return by_section


def shown(cell: Cell, column: Column) -> str:
    """Return how a cell of a table is shown.

    >>> shown(0.12345, Column("f1")), shown(1234, Column("n")), shown(None, Column("n"))
    ('0.123', '1,234', '–')
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    if isinstance(cell, str | Marked):
        return str(cell)
    if column.format:
        return column.format.format(cell)
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.3f}"


def sort_key(cell: Cell) -> str:
    """Return the sort key of a cell; empty for an unknown value."""
    return "" if cell is None else str(cell)


def mark_color(weight: float) -> str:
    """Return the CSS background of a piece of a text: blue in favour, orange against."""
    side = "for" if weight >= 0 else "against"
    return f"rgb(var(--{side}) / {min(1.0, abs(weight)) * 0.75:.2f})"


def _asset(name: str) -> str:
    return importlib.resources.files("ftkeras.pages").joinpath(name).read_text(encoding="utf-8")


def _column(column: str | Column) -> Column:
    return Column(column) if isinstance(column, str) else column


def _number_columns(table: Table) -> list[bool]:
    return [_is_number(table, number) for number in range(len(table.columns))]


def _is_number(table: Table, number: int) -> bool:
    """Return whether a column holds numbers, which are aligned on the right."""
    cells = [row[number] for row in table.rows if row[number] is not None]
    return bool(cells) and not any(isinstance(cell, str | Marked) for cell in cells)


def _has_texts(table: Table) -> bool:
    """Return whether a table has cells of long text, so that a phone shows a row as a list."""
    cells = [cell for row in table.rows for cell in row if isinstance(cell, str | Marked)]
    return any(len(str(cell)) > LONG_TEXT for cell in cells)


def _rows(table: Table) -> list[dict[str, Any]]:
    titles = [_column(column).title for column in table.columns]
    return [
        {
            t: str(c) if isinstance(c, Marked) else _finite(c)
            for t, c in zip(titles, row, strict=True)
        }
        for row in table.rows
    ]


def _finite(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
