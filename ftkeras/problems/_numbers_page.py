"""The report page of predicted numbers: true against predicted, and what is left over."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures.bars import Histogram
from ftkeras.figures.parts import Column, Part, Plot, Table
from ftkeras.figures.scatter import MOST_POINTS, Scatter
from ftkeras.problems import _baselines, _numbers
from ftkeras.problems._baselines import Baseline, BaselineData
from ftkeras.problems._page import Row, Texts
from ftkeras.statistics.number_predictions import NumberPredictions

# Plots of more outputs than this would fill the page.
MOST_PLOTTED = 6
BINS = 5


class NumbersPage:
    """Offers the parts of a page to problems whose answer is one number or several."""

    names: tuple[str, ...]

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return for each output a scatter plot, the residuals, and the error by true value."""
        truth, values = (np.array([row[key] for row in rows]) for key in ("targets", "values"))
        parts: list[Part] = []
        if len(self.names) > 1:
            parts.append(_outputs(self.names, truth, values))
        for n, name in enumerate(self.names[:MOST_PLOTTED]):
            parts += plots(name, truth[:, n], values[:, n], key=f"_{n}" if n else "")
        return parts

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Return the mean of training, and a ridge regression."""
        truth = np.array([row["targets"] for row in data.rows], float)
        mean = np.tile(np.asarray(data.targets).mean(axis=0), (len(truth), 1))
        predicted = _baselines.numbers(data)
        return [
            Baseline("always the mean", NumberPredictions(truth, mean)),
            Baseline("TF-IDF and ridge regression", NumberPredictions(truth, predicted)),
        ]


def plots(name: str, truth: np.ndarray, values: np.ndarray, *, key: str = "") -> list[Part]:
    """Return the plots of one output, and a table of its errors by true value.

    Args:
        name: of the output.
        truth: the true numbers, float [examples].
        values: the predicted ones, float [examples].
        key: what the names of the plots end in.
    """
    residuals = values - truth
    some = f" {MOST_POINTS:,} of {len(truth):,} examples." if len(truth) > MOST_POINTS else ""
    measured = _numbers.measure(truth, values)
    return [
        Plot(
            f"scatter{key}",
            f"Predicted against true: {name}",
            Scatter(truth, values, f"true {name}", f"predicted {name}", diagonal=True),
            alt=f"Spearman's correlation {_shown(measured['spearman'])}.",
            note=f"On the dashed line, predictions are right.{some}",
        ),
        Plot(
            f"residuals{key}",
            f"Residuals: {name}",
            Histogram({"residual": residuals}, f"predicted less true {name}", vertical=0.0),
            alt=f"Mean {residuals.mean():.3g}, standard deviation {residuals.std():.3g}.",
            note=f"Mean {residuals.mean():+.3g}, standard deviation {residuals.std():.3g}.",
        ),
        _by_true_value(name, truth, residuals, key),
    ]


def _by_true_value(name: str, truth: np.ndarray, residuals: np.ndarray, key: str) -> Table:
    """Return the error of low, middle and high true values, with equally many examples in each."""
    edges = np.unique(np.quantile(truth, np.linspace(0, 1, BINS + 1)))
    bins = np.clip(np.searchsorted(edges, truth, "right") - 1, 0, max(0, len(edges) - 2))
    rows = []
    for number in np.unique(bins):
        chosen = bins == number
        own, left = truth[chosen], residuals[chosen]
        limits = f"{own.min():.4g} to {own.max():.4g}"
        rows.append([limits, int(chosen.sum()), *map(float, (np.abs(left).mean(), left.mean()))])
    columns = [
        f"true {name}",
        "examples",
        "mean absolute error",
        Column("mean residual", "{:+.3f}"),
    ]
    title = f"Errors by true value: {name}"
    note = "A residual is predicted less true."
    return Table(f"errors_by_true_value{key}", title, columns, rows, note)


def _outputs(names: Sequence[str], truth: np.ndarray, values: np.ndarray) -> Table:
    measured = [_numbers.measure(truth[:, n], values[:, n]) for n in range(len(names))]
    keys = list(measured[0])
    rows = [[name, *(one[key] for key in keys)] for name, one in zip(names, measured, strict=True)]
    return Table("outputs", "Metrics of each output", ["output", *keys], rows)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
