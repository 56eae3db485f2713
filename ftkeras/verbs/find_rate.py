"""Learning-rate range test: rising rates on a few batches, the loss at each, a suggestion.

Everything is the run's own but the rate: --schedule, --warmup and --epochs do not count, and what
policies do from epoch to epoch is left out.

Source: Smith, 2017, section 3.3, https://arxiv.org/abs/1506.01186.
"""

import logging
import math
import pathlib
from dataclasses import dataclass

import keras
import numpy as np

from ftkeras.config.verbs import FindRateConfig
from ftkeras.data.feed import TrainingFeed
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, feeds, optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.schedules import Growth
from ftkeras.support import files
from ftkeras.training import epochs
from ftkeras.verbs.plot import drawn, output_path

log = logging.getLogger(__name__)

# The loss is taken to diverge where its running mean stands this many times above its lowest.
DIVERGED = 4.0
RUNNING = 0.8
# Standard deviation of the smoothing for the curve, in updates: it averages over some 14.
SMOOTHING = 4.0
# Of 100 batches whose loss does not change, the smoothed one strays as far as their own deviation.
FALL_OVER_NOISE = 2.0


@dataclass(frozen=True)
class Suggestion:
    """What a curve says.

    Attributes:
        steepest: rate at which the smoothed loss falls fastest per decade.
        lowest: rate at which the smoothed loss is lowest.
        tenth: a tenth of that.
        doubt: why none of it should be trusted, or None.
    """

    steepest: float
    lowest: float
    doubt: str | None

    @property
    def tenth(self) -> float:
        return self.lowest / 10


def run(config: FindRateConfig) -> None:
    """`find_rate`: the test, its curve as CSV and PNG, and what it suggests."""
    csv, png = (output_path(None, config.run_dir, f"find_rate.{kind}") for kind in ("csv", "png"))
    experiment = build.experiment(config)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        feed = feeds.training_feed(experiment, splits)
        optimization.compile_to_train(experiment, total_steps=len(feed) * config.epochs)
        rates, losses = range_test(experiment, feed)
    if len(losses) < 3:
        raise UserError(
            f"lowest_rate={config.lowest_rate} is too high: the loss diverged at once. A lower "
            "one would do."
        )
    smooth = smoothed(losses)
    suggestion = suggest(rates, losses, smooth)
    write_curve(csv, rates, losses, smooth)
    with drawn(png) as axes:
        _draw(axes, config, rates, losses, smooth, suggestion)
    _show(suggestion, png, csv)


def range_test(experiment: Experiment, feed: TrainingFeed) -> tuple[np.ndarray, np.ndarray]:
    """Trains on rising rates until the loss diverges, and gives the weights back as they were.

    Returns:
        Rates and the batches' losses, each as they were before the update at that rate, float64
        [updates made].
    """
    config, model = experiment.config, experiment.model
    growth = Growth(lowest=config.lowest_rate, highest=config.highest_rate, steps=config.steps)
    model.optimizer.learning_rate = growth
    watch = _Watch(config.steps)
    before = model.get_weights()
    try:
        passes = math.ceil(config.steps / len(feed))
        epochs.fit(model, feed, epochs=passes, callbacks=[watch])
    finally:
        model.set_weights(before)
    losses = np.array(watch.losses)
    return np.array([float(growth(t)) for t in range(len(losses))]), losses


class _Watch(keras.callbacks.Callback):
    """Keeps each batch's loss, and stops where it diverges or has been asked for enough."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps, self.losses = steps, []
        self.mean, self.lowest = 0.0, math.inf

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # Keras tells the mean over the epoch; we want this batch's

    def on_train_batch_end(self, batch, logs=None):
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            self.model.stop_training = True
        if self.model.stop_training:
            return
        self.losses.append(loss)
        self.mean = RUNNING * self.mean + (1 - RUNNING) * loss
        mean = self.mean / (1 - RUNNING ** len(self.losses))
        self.lowest = min(self.lowest, mean)
        enough = len(self.losses) >= self.steps
        self.model.stop_training = enough or mean > DIVERGED * self.lowest


def smoothed(losses: np.ndarray) -> np.ndarray:
    """A Gaussian mean over the updates on both sides: unlike a running mean, it does not lag."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(losses, SMOOTHING, mode="nearest")


def suggest(rates: np.ndarray, losses: np.ndarray, smooth: np.ndarray) -> Suggestion:
    """Reads the curve: where it falls fastest, where it is lowest, and whether it falls at all.

    Args:
        rates: rising, float [updates].
        losses: of the batches, float [updates].
        smooth: the smoothed losses, float [updates].
    """
    lowest = int(smooth.argmin())
    slope = np.gradient(smooth, np.log10(rates))
    steepest = int(slope[: lowest + 1].argmin())
    # The median deviation, as a standard deviation, so that a diverging end does not count.
    noise = 1.4826 * float(np.median(np.abs(losses - smooth)))
    fall = float(smooth[: lowest + 1].max() - smooth[lowest])
    doubt = None
    if fall <= FALL_OVER_NOISE * noise:
        doubt = (
            f"the smoothed loss falls by {fall:.3f}, which may be chance where batches differ by "
            f"{noise:.3f}; more --steps, a narrower range or a larger --batch_size would tell"
        )
    elif lowest == len(rates) - 1:
        doubt = "the loss still falls at the highest rate; a higher --highest_rate would tell more"
    return Suggestion(float(rates[steepest]), float(rates[lowest]), doubt)


def write_curve(path: pathlib.Path, rates, losses, smooth) -> None:
    """A CSV with a row an update: step (from 0), learning_rate, loss, smoothed_loss."""
    rows = enumerate(zip(rates, losses, smooth, strict=True))
    lines = [f"{step},{rate:.6e},{loss:.6f},{mean:.6f}" for step, (rate, loss, mean) in rows]
    header = "step,learning_rate,loss,smoothed_loss"
    files.write_text(path, "\n".join([header, *lines]) + "\n")


def _draw(axes, config: FindRateConfig, rates, losses, smooth, suggestion: Suggestion) -> None:
    axes.plot(rates, losses, ".", color="#9aa7b5", markersize=4, label="loss of a batch")
    axes.plot(rates, smooth, color="#1f5fa8", linewidth=2, label="smoothed")
    marks = (
        ("a tenth of the lowest point's rate", suggestion.tenth, "#2d8a4e", "-"),
        ("steepest fall", suggestion.steepest, "#e8a33d", "--"),
        ("lowest point", suggestion.lowest, "#8a5a0b", ":"),
    )
    for label, rate, color, style in () if suggestion.doubt else marks:
        axes.axvline(rate, color=color, linestyle=style, label=f"{label}: {rate:.1e}")
    axes.set_xscale("log")
    axes.set_xlim(rates[0], rates[-1])
    # A diverging end would press the part that matters flat.
    low, top = losses.min(), max(smooth[: smooth.argmin() + 1].max(), np.median(losses))
    span = max(top - low, 0.01)
    axes.set_ylim(max(0, low - 0.2 * span), top + span)
    axes.set_xlabel("learning rate of the update")
    axes.set_ylabel("training loss before the update")
    axes.set_title(f"Range test: --task={config.task} --optimizer={config.optimizer}", fontsize=11)
    axes.legend(fontsize=8, frameon=False)


def _show(suggestion: Suggestion, png: pathlib.Path, csv: pathlib.Path) -> None:
    if suggestion.doubt:
        log.info(f"no suggestion: {suggestion.doubt}")
    else:
        log.info(f"the smoothed loss falls fastest at      {suggestion.steepest:.2e}")
        log.info(f"it is lowest at                         {suggestion.lowest:.2e}")
        log.info(f"a tenth of that                         {suggestion.tenth:.2e}")
        log.info(
            f"\nsuggestion: learning_rate={suggestion.tenth:.1e}, a tenth of the lowest point's "
            "rate: there the loss is\nabout to rise, and a whole run wants a margin. The steepest "
            "fall is a second opinion; it moves more\nwith the noise of the batches."
        )
    log.info(f"\ncurve   {png}, {csv}; no weights were kept")
