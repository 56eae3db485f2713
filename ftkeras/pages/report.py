"""Write report.html, the page about a finished run."""

import logging
import pathlib
from collections.abc import Callable, Sequence

from ftkeras.figures.parts import Missing, Section
from ftkeras.pages import (
    calibration,
    errors,
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

log = logging.getLogger(__name__)

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
    """Write report.html, report.json and the plots into the run's folder; return the page's path.

    A section that fails is replaced by a line that says so, and a warning is logged: a mistake in
    one of them must not cost the others, or a training that has taken hours.

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
    page.write(file, plots, view.title, summary.subtitle(view), sections(view))
    return file


def write_if_installed(view: RunView) -> None:
    """Write the page; without the packages it needs, log one line that names them."""
    page.write_if_installed(lambda: write(view), "report  ")


def sections(view: RunView) -> Sequence[Section]:
    """Return the sections of the page about a run."""
    return [_built(build, view) for build in SECTIONS]


def _built(build: Callable[[RunView], Section], view: RunView) -> Section:
    try:
        return build(view)
    except Exception as error:
        name = build.__module__.rpartition(".")[2]
        log.warning("%s", f"report: the section {name} failed: {error!r}", exc_info=True)
        return Section(name.capitalize(), name, [Missing("This section", f"failed: {error!r}")])
