"""The section about the predictions of a split: what they are is up to the problem."""

from ftkeras.errors import UserError
from ftkeras.figures.parts import Missing, Section
from ftkeras.pages.run_view import RunView


def section(view: RunView) -> Section:
    """Return the section about the predictions."""
    try:
        rows = view.rows
    except UserError as error:
        return Section("Predictions", "predictions", [Missing("Predictions", f"{error}.")])
    parts = view.problem.page_parts(rows, view.known_texts, view.measured)
    return Section("Predictions", "predictions", parts)
