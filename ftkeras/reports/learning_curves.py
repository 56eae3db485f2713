"""The learning curves of several ways in one picture."""

import pathlib
from collections.abc import Sequence

import numpy as np

from ftkeras.runs.reader import Finished
from ftkeras.verbs.plot import drawn

PANELS = {"val_loss": "validation loss", "val_accuracy": "validation accuracy"}
# Told apart by most colour-blind readers too: Okabe and Ito, 2008, https://jfly.uni-koeln.de/color/.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8ac00")
LINES = ("-", "--", ":", "-.")


def draw(path: pathlib.Path, ways: Sequence[Sequence[Finished]], names: Sequence[str]) -> bool:
    """Loss and accuracy over epochs: each run thin, each way's mean thick; whether there were any.

    Raises:
        UserError: matplotlib is not installed.
    """
    curves = [[rows for run in runs for rows in run.curves if rows] for runs in ways]
    if not any(curves):
        return False
    with drawn(path, panels=len(PANELS)) as panels:
        for axes, (column, title) in zip(panels, PANELS.items(), strict=True):
            for number, (name, runs) in enumerate(zip(names, curves, strict=True)):
                line = LINES[number // len(COLOURS) % len(LINES)]
                style = {"color": COLOURS[number % len(COLOURS)], "linestyle": line}
                _draw_way(axes, name, runs, column, style)
            axes.set_title(title, fontsize=11)
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        figure = panels[0].figure
        figure.set_size_inches(8, 4 + 0.2 * len(ways))
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", frameon=False, fontsize=8)
    return True


def _draw_way(axes, name: str, runs: Sequence[list[dict]], column: str, style: dict) -> None:
    lines = [{row["epoch"]: row[column] for row in rows if column in row} for rows in runs]
    lines = [line for line in lines if line]
    # One epoch is a point, which a line alone would not show.
    style = {**style, "marker": "o"}
    for line in lines if len(lines) > 1 else ():
        axes.plot(line.keys(), line.values(), linewidth=0.8, alpha=0.4, markersize=2, **style)
    epochs = sorted({epoch for line in lines for epoch in line})
    means = [np.mean([line[epoch] for line in lines if epoch in line]) for epoch in epochs]
    label = f"{name} (mean of {len(lines)})" if len(lines) > 1 else name
    axes.plot(epochs, means, linewidth=2, markersize=4, label=label, **style)
