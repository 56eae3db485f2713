"""Write report.html, the page about a finished run."""

import functools
import pathlib
from collections.abc import Callable, Sequence

from ftkeras.figures.parts import Section
from ftkeras.pages import (
    calibration,
    errors,
    kept_texts,
    page,
    predictions,
    reproduce,
    slices,
    summary,
    training,
    words,
)
from ftkeras.pages.run_view import RunView
from ftkeras.runs import layout

# In the order of the page.
SECTIONS: tuple[Callable[[RunView], Section], ...] = (
    summary.section,
    training.section,
    predictions.section,
    calibration.section,
    errors.section,
    slices.section,
    words.section,
    reproduce.section,
)


def write(view: RunView) -> pathlib.Path:
    """Write report.html, its numbers, plots and texts into the run's folder; return its path.

    Args:
        view: the run.

    Raises:
        UserError: if matplotlib or jinja2 is not installed.
    """
    page.check_packages()
    file, plots = view.folder / layout.REPORT, view.folder / layout.REPORT_PLOTS
    if view.name is not None:
        file = view.folder / layout.of_evaluation(view.name, layout.REPORT)
        plots = view.folder / f"{layout.REPORT_PLOTS}-{view.name}"
    content = sections(view)
    page.write(file, plots, view.title, summary.subtitle(view), content)
    if view.name is None:
        kept_texts.write(view, content)
    return file


def write_if_installed(view: RunView) -> None:
    """Write the page; without the packages it needs, log one line that names them."""
    page.write_if_installed(lambda: write(view), "report  ")


def sections(view: RunView) -> Sequence[Section]:
    """Return the sections of the page about a run."""
    names = [build.__module__.rpartition(".")[2] for build in SECTIONS]
    return [
        page.section_or_reason(name, functools.partial(build, view))
        for name, build in zip(names, SECTIONS, strict=True)
    ]
