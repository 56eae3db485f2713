"""Learning-rate range test: train with rising learning rates on a few batches.

The run's own settings apply, except the learning rate: schedule, warm-up and epochs are ignored,
and so is what policies do from epoch to epoch.

Source: Smith, 2017, section 3.3, https://arxiv.org/abs/1506.01186.
"""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ftkeras.data.feed import TrainingFeed
from ftkeras.schedules import Growth
from ftkeras.training import epochs
from ftkeras.training.finetuner import FineTuner

# The loss diverges when its running mean exceeds this multiple of its lowest running mean.
DIVERGED = 4.0
RUNNING = 0.8  # weight of the past in the running mean
# Standard deviation of the Gaussian that smooths the curve, in updates: it averages about 14.
SMOOTHING = 4.0
# The smoothed loss of 100 batches from one distribution varies by about their standard deviation.
MIN_FALL_OVER_NOISE = 2.0


@dataclass(frozen=True)
class Curve:
    """The losses of a range test.

    Attributes:
        learning_rates: rising, float64 [updates].
        losses: of each batch before the update, float64 [updates].
        smoothed: a Gaussian mean of the losses, float64 [updates].
    """

    learning_rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray


@dataclass(frozen=True)
class Suggestion:
    """The suggestion that a curve gives.

    Attributes:
        steepest: the learning rate at which the smoothed loss falls fastest per decade.
        lowest: the learning rate at which the smoothed loss is lowest.
        doubt: why the curve allows no suggestion, or None.
    """

    steepest: float
    lowest: float
    doubt: str | None

    @property
    def tenth(self) -> float:
        """The suggested learning rate: a tenth of the one with the lowest loss."""
        return self.lowest / 10


def range_test(
    model: FineTuner, feed: TrainingFeed, *, lowest: float, highest: float, steps: int
) -> Curve:
    """Train with exponentially rising learning rates, then restore the weights.

    The test ends early if the loss diverges.

    Args:
        model: compiled; its optimizer's learning rate is replaced.
        feed: the batches to train on.
        lowest: the first learning rate; positive.
        highest: the last learning rate; above `lowest`.
        steps: updates from the lowest to the highest learning rate.
    """
    schedule = Growth(lowest=lowest, highest=highest, steps=steps)
    model.optimizer.learning_rate = schedule
    recorder, weights = _LossRecorder(steps), model.get_weights()
    try:
        passes = math.ceil(steps / len(feed))
        epochs.fit(model, feed, epochs=passes, callbacks=[recorder])
    finally:
        model.set_weights(weights)
    losses = np.array(recorder.losses)
    learning_rates = np.array([float(schedule(step)) for step in range(len(losses))])
    return Curve(learning_rates, losses, smooth(losses))


class _LossRecorder(keras.callbacks.Callback):
    """Record each batch's loss; stop after `steps` batches or when the loss diverges."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps, self.losses = steps, []
        self._mean, self._lowest = 0.0, math.inf

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        model: Any = self.model
        model.reset_metrics()  # Keras would report the mean over the epoch so far

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        model: Any = self.model
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            model.stop_training = True
        if model.stop_training:
            return
        self.losses.append(loss)
        self._mean = RUNNING * self._mean + (1 - RUNNING) * loss
        mean = self._mean / (1 - RUNNING ** len(self.losses))
        self._lowest = min(self._lowest, mean)
        enough = len(self.losses) >= self.steps
        model.stop_training = enough or mean > DIVERGED * self._lowest


def smooth(losses: np.ndarray) -> np.ndarray:
    """Average over the updates on both sides; unlike a running mean, this does not lag."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(losses, SMOOTHING, mode="nearest")


def suggest(curve: Curve) -> Suggestion:
    """Find where the smoothed loss is lowest and where it falls fastest, if it falls at all."""
    lowest = int(curve.smoothed.argmin())
    slope = np.gradient(curve.smoothed, np.log10(curve.learning_rates))
    steepest = int(slope[: lowest + 1].argmin())
    # 1.4826 times the median absolute deviation estimates the standard deviation, and a diverging
    # end hardly moves it.
    noise = 1.4826 * float(np.median(np.abs(curve.losses - curve.smoothed)))
    fall = float(curve.smoothed[: lowest + 1].max() - curve.smoothed[lowest])
    doubt = None
    if fall <= MIN_FALL_OVER_NOISE * noise:
        doubt = (
            f"the smoothed loss falls by {fall:.3f}, which may be chance when batches differ by "
            f"{noise:.3f}. Try more `steps`, a narrower range or a larger `batch_size`"
        )
    elif lowest == len(curve.losses) - 1:
        doubt = "the loss still falls at the highest learning rate. Try a higher `max_rate`"
    learning_rates = curve.learning_rates
    return Suggestion(float(learning_rates[steepest]), float(learning_rates[lowest]), doubt)
