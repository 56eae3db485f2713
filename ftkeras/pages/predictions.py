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
    try:
        texts = view.split_texts
    except UserError:  # the parts that need texts say that they are missing
        texts = None
    return Section(
        "Predictions", "predictions", view.problem.page_parts(rows, texts, view.measured)
    )
