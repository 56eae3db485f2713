"""The learning rate over a run, as a plot and as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.config.run import Config
from ftkeras.reports.plots import BLUE, BROWN, ORANGE

MAX_POINTS = 1000  # the plot has no more pixels across
MAX_MARKERS = 80  # up to this many updates, each is marked by a dot
TABLE_SHARES = (0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1)


@dataclass(frozen=True)
class Curve:
    """The learning rate at some updates of a run.

    Attributes:
        steps: updates made, rising from 0 to `total`, integer [points].
        learning_rates: of the next update, float64 [points].
        total: updates of the run.
        warmup: updates of the warm-up.
    """

    steps: np.ndarray
    learning_rates: np.ndarray
    total: int
    warmup: int


def sample(schedule: Callable[[np.int64], Any], *, total: int, warmup: int) -> Curve:
    """Evaluate a schedule at up to about 1,000 updates, those of the table among them."""
    even = np.linspace(0, total, min(total + 1, MAX_POINTS)).round().astype(np.int64)
    steps = np.union1d(even, _table_steps(total, warmup))
    rates = np.array([float(schedule(step)) for step in steps])
    return Curve(steps, rates, total, warmup)


def plot(axes: Any, curve: Curve, title: str) -> None:
    """Plot the learning rate, with the warm-up shaded."""
    marker = "o" if len(curve.steps) <= MAX_MARKERS else ""
    axes.plot(
        curve.steps, curve.learning_rates, color=BLUE, linewidth=2, marker=marker, markersize=4
    )
    if curve.warmup:
        axes.axvspan(0, curve.warmup, color=ORANGE, alpha=0.22, linewidth=0)
        axes.annotate(
            f"warm-up\n{curve.warmup:,} updates",
            (curve.warmup, 0.06),
            xycoords=("data", "axes fraction"),
            xytext=(6, 0),
            textcoords="offset points",
            color=BROWN,
            fontsize=9,
        )
    axes.set_xlim(0, curve.total)
    axes.set_ylim(0, 1.06 * curve.learning_rates.max())
    axes.set_xlabel("optimizer updates made")
    axes.set_ylabel("learning rate of the next update")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    axes.set_title(title, fontsize=11, pad=16)


def table(curve: Curve) -> str:
    """Return the learning rate at some shares of the run and at the end of the warm-up."""
    by_step = dict(zip(curve.steps.tolist(), curve.learning_rates.tolist(), strict=True))
    lines = [f"{'updates made':>14}{'share of the run':>19}{'learning rate':>16}"]
    for step in _table_steps(curve.total, curve.warmup):
        remark = "   end of the warm-up" if curve.warmup and step == curve.warmup else ""
        lines.append(f"{step:>14,}{step / curve.total:>18.1%} {by_step[step]:>16.4e}{remark}")
    return "\n".join(lines)


def _table_steps(total: int, warmup: int) -> list[int]:
    return sorted({round(share * total) for share in TABLE_SHARES} | {warmup})


def guessed(config: Config) -> str:
    """Return the learning rate that the plot uses for learning_rate=auto."""
    return (
        f"learning_rate={config.learning_rate:.1e} (auto, for encoder={config.encoder}; of a "
        "checkpoint that is not in a local folder, the width is taken to be 768)"
    )


def steps(config: Config, examples: int, count: int) -> str:
    """Return how the number of a run's updates comes about."""
    more = "; `oversample` repeats some, which adds updates" if config.oversample else ""
    return (
        f"{count:,} steps: {examples:,} examples in batches of {config.batch_size}, "
        f"{config.epochs} times{more} (`steps` sets another number)"
    )
