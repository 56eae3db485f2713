"""The section about calibration: how often answers are right that the model is this sure of."""

from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.figures.lines import Line, Lines
from ftkeras.figures.parts import (
    Column,
    KeyNumber,
    KeyNumbers,
    Missing,
    Notice,
    Part,
    Plot,
    Section,
    Table,
)
from ftkeras.figures.style import BLUE, MUTED, ORANGE
from ftkeras.pages.run_view import RunView
from ftkeras.statistics import calibration
from ftkeras.statistics.calibration import Bin, Forecasts
from ftkeras.support import commands

BINS = 10
# Numbers that a bootstrap looks at in all: more take more than a few seconds.
LOOKS = 1e9
# An error above this, also at the lower end of its interval, is worth calibrating.
LARGE = 0.02
TITLES = {"ece": "Calibration error", "nll": "Log loss", "brier": "Brier score"}
REQUIRED = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995)


def section(view: RunView) -> Section:
    """Return the section about calibration."""
    try:
        forecasts = view.problem.forecasts(view.rows)
    except UserError as error:
        return _without(f"{error}.")
    if forecasts is None:
        return _without(f"a {view.problem.kind} gives no probabilities that come true or do not.")
    values = forecasts.measure()
    resamples = int(np.clip(LOOKS / (20 * len(forecasts)), 200, 1000))
    ends = forecasts.intervals(resamples=resamples)
    parts = [
        _tiles(values, ends),
        *_advice(view, ends),
        *_reliability(forecasts),
        *_selective(forecasts),
    ]
    figures = {name: {"value": values[name], "interval": ends[name]} for name in values}
    if view.problem.temperature is not None:
        figures["temperature"] = {"value": view.problem.temperature}
    return Section("Calibration", "calibration", parts, figures)


def _without(reason: str) -> Section:
    return Section("Calibration", "calibration", [Missing("Calibration", reason)])


def _tiles(values: dict[str, float], ends: dict[str, tuple[float, float]]) -> KeyNumbers:
    return KeyNumbers(
        [
            KeyNumber(
                TITLES[name],
                f"{value:.3f}",
                f"95 % interval {ends[name][0]:.3f} to {ends[name][1]:.3f}",
            )
            for name, value in values.items()
        ]
    )


def _advice(view: RunView, ends: dict[str, tuple[float, float]]) -> list[Part]:
    if view.problem.temperature is not None:
        t = view.problem.temperature
        text = f"The probabilities are calibrated with temperature {t:.3f}, fitted on validation."
        if ends["ece"][0] <= LARGE:
            return [Notice(text, "info")]
        more = "They are still not reliable here: a temperature can't correct a model that prefers "
        return [Notice(f"{text} {more}some labels, or data that differ from validation.")]
    if ends["ece"][0] <= LARGE or not view.problem.calibrates:
        return []
    return [
        Notice(
            "The probabilities are not calibrated. --calibrate fits them to validation without "
            f"changing a label: {commands.line('evaluate', run_dir=view.folder, calibrate=True)}, "
            "then export the run again."
        )
    ]


def _reliability(forecasts: Forecasts) -> list[Part]:
    width, mass = (calibration.bins(forecasts, BINS, equal) for equal in ("width", "mass"))
    lines = [
        Line("perfect calibration", [(0, 0), (1, 1)], color=MUTED, style="--"),
        Line("bins of equal width", _points(width), color=BLUE, marker="o"),
        Line("bins of equal size", _points(mass), color=ORANGE, marker="s", style=":"),
    ]
    drawing = Lines(lines, "probability", "share that is true", (0, 1), (0, 1), legend="upper left")
    worst = max(width, key=lambda one: one.count * abs(one.share - one.mean))
    alt = (
        f"Of {worst.count:,} probabilities near {worst.mean:.2f}, {worst.share:.0%} came true: "
        "the bin that adds most to the calibration error."
    )
    table = Table(
        "bins",
        "Bins of equal width",
        [
            Column("from", "{:.2f}"),
            Column("to", "{:.2f}"),
            "forecasts",
            Column("mean probability"),
            Column("share that is true"),
        ],
        [[one.low, one.high, one.count, one.mean, one.share] for one in width],
        note="The calibration error is the mean difference of the last two columns, by forecasts, "
        "in 15 such bins.",
    )
    note = "Below the dashed line, the model is surer than it should be."
    return [Plot("reliability", "Reliability", drawing, alt, note), table]


def _points(bins: list[Bin]) -> list[tuple[float, float]]:
    return [(one.mean, one.share) for one in bins]


def _selective(forecasts: Forecasts) -> list[Part]:
    """Return how accurate answers are if only the surest are given, if each text has one answer."""
    if forecasts.probabilities.shape[1] != 1:
        return []
    confidence, right = forecasts.probabilities[:, 0], forecasts.outcomes[:, 0]
    _, coverage, accuracy = calibration.coverage_curve(confidence, right)
    # The first texts alone say nothing about accuracy.
    shown = np.flatnonzero(coverage >= min(1.0, 20 / len(right)))
    shown = shown[np.unique(np.linspace(0, len(shown) - 1, 200).round().astype(int))]
    points = list(zip(coverage[shown].tolist(), accuracy[shown].tolist(), strict=True))
    share, best = points[len(points) // 2]
    plot = Plot(
        "coverage",
        "Accuracy if only the surest answers are given",
        Lines([Line("accuracy", points)], "share of texts answered", "accuracy", x_limits=(0, 1)),
        alt=f"Accuracy is {right.mean():.3f} if all texts are answered, and "
        f"{best:.3f} if the surest {share:.0%} are.",
    )
    return [plot, *_thresholds(confidence, right)]


def _thresholds(confidence: np.ndarray, right: np.ndarray) -> list[Part]:
    """Return the table of probabilities from which answers are accurate enough, if any is."""
    rows: list[list[Any]] = []
    for required in REQUIRED:
        if required > right.mean():
            threshold = calibration.threshold_for(confidence, right, required)
            rows.append([required, *(threshold or (None, None))])
    if not rows:
        return []
    columns = [
        Column("required accuracy", "{:.1%}"),
        # As many digits as predictions.jsonl has: the probabilities of sure models differ by few.
        Column("least probability", "{:.7f}"),
        Column("texts answered", "{:.1%}", is_share=True),
    ]
    note = "Chosen on these texts, so a little optimistic. –: no probability is enough."
    title = "Probability above which answers are accurate enough"
    return [Table("thresholds", title, columns, rows, note)]
