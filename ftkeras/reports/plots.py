"""Plots as PNG files; matplotlib is optional."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

from ftkeras.errors import UserError
from ftkeras.support import files

BLUE, ORANGE, GREEN, BROWN, GREY = "#1f5fa8", "#e8a33d", "#2d8a4e", "#8a5a0b", "#9aa7b5"


def output_path(output: str | None, run_dir: str | None, name: str) -> pathlib.Path:
    """Return the file that a plot is written to.

    Args:
        output: the file that the user named, or None.
        run_dir: the folder for a file without a name of its own; None for the current one.
        name: the file's name in that folder.

    Raises:
        UserError: if the file cannot be written.
    """
    if output is not None:
        return files.require_writable_file(output, "output")
    path = files.require_writable(run_dir or ".", "run_dir") / name
    if path.is_dir():
        raise UserError(f"run_dir={run_dir or '.'} can't be written: {path} is a folder.")
    return path


@contextlib.contextmanager
def new_plot(path: pathlib.Path) -> Iterator[Any]:
    """Yield matplotlib axes to plot on, and write the PNG file afterwards.

    Raises:
        UserError: if matplotlib is not installed.
    """
    figure, (axes,) = new_figure()
    yield axes
    save(figure, path)


def save(figure: Any, path: pathlib.Path) -> None:
    """Write a matplotlib figure as a PNG file."""
    with files.replacing(path) as partial:
        figure.savefig(partial, format="png")


def new_figure(panels: int = 1) -> tuple[Any, Any]:
    """Return a matplotlib figure, and an array of axes side by side.

    Raises:
        UserError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError("plots need matplotlib: pip install 'ftkeras[plot]'") from None
    figure = Figure(figsize=(8, 4.2), dpi=150, layout="constrained")
    all_axes = figure.subplots(ncols=panels, squeeze=False)[0]
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure, all_axes
