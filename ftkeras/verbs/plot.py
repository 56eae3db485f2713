"""Draws the learning rate over a run, and prints a few of its values; trains nothing."""

import contextlib
import logging
import math
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.config.verbs import PlotConfig
from ftkeras.errors import UserError
from ftkeras.experiment import optimization
from ftkeras.support import files

log = logging.getLogger(__name__)

# More points than the picture has pixels across would show nothing more.
MOST_POINTS = 1000
TABLE_SHARES = (0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1)


def run(config: PlotConfig) -> None:
    """`plot`: the picture and the table."""
    path = output_path(config.output, config.run_dir, "schedule.png")
    total = config.steps or steps_of_run(config)
    schedule = optimization.schedule(config, total_steps=total)
    warmup = optimization.resolve_warmup(config, total_steps=total)
    steps = _sampled(total, warmup)
    rates = rates_of(schedule, steps)
    by_validation = bool(optimization.schedule_callbacks(schedule))
    with drawn(path) as axes:
        _draw(axes, config, steps, rates, warmup=warmup)
    _show_table(steps, rates, total=total, warmup=warmup)
    if by_validation:
        log.info(
            "validation decides when this rate falls; shown is a run in which it always improves"
        )
    log.info(f"\ndrawn   {path}")


def output_path(output: str | None, run_dir: str | None, name: str) -> pathlib.Path:
    """The file that a picture goes to; refused where it can't be written."""
    path = pathlib.Path(output) if output else pathlib.Path(run_dir or ".") / name
    argument, value = ("output", output) if output else ("run_dir", run_dir or ".")
    if path.is_dir():
        raise UserError(f"{argument}={value} can't be written: {path} is a folder.")
    files.require_writable(path.parent, argument)
    return path


def steps_of_run(config: Config) -> int:
    """Optimizer updates of the run that `config` tells, its texts counted but not tokenized."""
    if config.batch_tokens is not None:
        raise UserError(
            f"batch_tokens={config.batch_tokens} makes as many updates as the texts' lengths ask "
            "for, and plot reads no texts: say how many with `steps`."
        )
    examples = config.train_examples or _training_examples(config)
    examples -= examples // config.folds if config.folds else 0  # the fold that is held out
    a_epoch = math.ceil(examples / config.batch_size)
    log.info(
        f"{a_epoch * config.epochs:,} steps: {examples:,} examples in batches of "
        f"{config.batch_size}, {config.epochs} times (steps=N says another number"
        + ("; `oversample` repeats some, so there will be more)" if config.oversample else ")")
    )
    return a_epoch * config.epochs


def rates_of(schedule, steps: np.ndarray) -> np.ndarray:
    """The rate of each update, float64 [steps]."""
    return np.array([float(schedule(tf.constant(step))) for step in steps])


@contextlib.contextmanager
def drawn(path: pathlib.Path, *, panels: int | None = None) -> Iterator:
    """Axes to draw on, or an array of so many, side by side; on leaving, the picture is at `path`.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError("a picture needs: pip install 'ftkeras[plot]'") from None
    figure = Figure(figsize=(8, 4.2), dpi=150, layout="constrained")
    all_axes = figure.subplots(ncols=panels or 1, squeeze=False)[0]
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    yield all_axes if panels else all_axes[0]
    with files.replacing(path) as beside:
        figure.savefig(beside, format="png")


def _training_examples(config: Config) -> int:
    splits = catalog.build("task", config.task, data_dir=config.data_dir).splits()
    if config.folds:
        return sum(_count(splits[name]) for name in ("train", "validation") if name in splits)
    count = _count(splits["train"])
    return count if "validation" in splits else count - int(config.validation_share * count)


def _count(examples: tf.data.Dataset) -> int:
    count = int(examples.cardinality())
    if count < 0:  # a source that streams knows it only at its end
        count = int(examples.reduce(np.int64(0), lambda total, _: total + 1))
    return count


def _sampled(total: int, warmup: int) -> np.ndarray:
    """Updates already made, 0 to `total`, the end of the warm-up and the table's among them."""
    even = np.linspace(0, total, min(total + 1, MOST_POINTS)).round()
    return np.union1d(even.astype(np.int64), [warmup, *_table_steps(total, warmup)])


def _table_steps(total: int, warmup: int) -> list[int]:
    return sorted({round(share * total) for share in TABLE_SHARES} | {warmup})


def _draw(axes, config: Config, steps: np.ndarray, rates: np.ndarray, *, warmup: int) -> None:
    single = "o" if len(steps) <= 80 else ""  # so few updates are seen one by one
    axes.plot(steps, rates, color="#1f5fa8", linewidth=2, marker=single, markersize=4)
    if warmup:
        axes.axvspan(0, warmup, color="#e8a33d", alpha=0.22, linewidth=0)
        axes.annotate(
            f"warm-up\n{warmup:,} updates",
            (warmup, 0.06),
            xycoords=("data", "axes fraction"),
            xytext=(6, 0),
            textcoords="offset points",
            color="#8a5a0b",
            fontsize=9,
        )
    axes.set_xlim(0, steps[-1])
    axes.set_ylim(0, 1.06 * rates.max())
    axes.set_xlabel("optimizer updates made")
    axes.set_ylabel("learning rate of the next update")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    title = f"--schedule={config.schedule} --learning_rate={config.learning_rate:g}"
    axes.set_title(title, fontsize=11, pad=16)


def _show_table(steps: np.ndarray, rates: np.ndarray, *, total: int, warmup: int) -> None:
    rate_at = dict(zip(steps.tolist(), rates.tolist(), strict=True))
    log.info(f"\n{'updates made':>14}{'share of the run':>19}{'rate':>13}")
    for step in _table_steps(total, warmup):
        remark = "   the warm-up's end" if warmup and step == warmup else ""
        log.info(f"{step:>14,}{step / total:>18.1%} {rate_at[step]:>13.4e}{remark}")
