import keras
import numpy as np
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class ReduceOnPlateau(keras.optimizers.schedules.LearningRateSchedule):
    """Level, and lower by a factor each time that validation has stopped getting better.

    rate(t) = max(peak * factor^reductions, end)

    After each epoch, where the validation figure is not better than its best by more than
    `least_gain`, the epoch is a bad one; after `patience` bad ones running, `reductions` is one
    more and the count of bad epochs begins again.

    Unlike the others this is no function of the step alone: `reductions`, `best` and `bad_epochs`
    are Keras variables (`variables`), read where the step is traced and to be kept with a
    checkpoint. `callback()` is what moves them; whoever trains adds it to `fit`.

    Source: He et al., 2016, section 3.4 ("divided by 10 when the error plateaus"),
    https://arxiv.org/abs/1512.03385; the counting is that of Keras's ReduceLROnPlateau.

    Args:
        peak: rate at first; positive.
        factor: what is left of the rate after a reduction; between 0 and 1.
        patience: epochs running without a better figure before a reduction; at least 1.
        by: the validation figure, 'loss' (lower is better) or 'accuracy' (higher is).
        least_gain: difference that counts as better, in the figure's own unit; at least 0.
        end: lowest rate; between 0 and `peak`.

    Call: step, updates already made, scalar () -> rate, float32 scalar ().

    Raises:
        ValueError: naming the argument, its bound and the value received.

    >>> schedule = ReduceOnPlateau(peak=1.0, factor=0.5)
    >>> [schedule.hear(loss) for loss in (0.7, 0.6, 0.6)]
    [False, False, True]
    >>> float(schedule(1000))
    0.5
    """

    def __init__(
        self,
        *,
        peak: float,
        factor: float = 0.5,
        patience: int = 1,
        by: str = "loss",
        least_gain: float = 0.0,
        end: float = 0.0,
    ):
        bounds.positive(peak=peak)
        bounds.positive_share(factor=factor)
        _lengths.end_rate(end, peak=peak)
        if not (isinstance(patience, int) and patience >= 1):
            raise ValueError(f"`patience` must be at least 1 epoch. Received: {patience!r}.")
        if by not in ("loss", "accuracy"):
            raise ValueError(f"`by` must be 'loss' or 'accuracy'. Received: {by!r}.")
        if not least_gain >= 0:
            raise ValueError(f"`least_gain` must be at least 0. Received: {least_gain}.")
        self.peak, self.factor, self.patience, self.by = peak, factor, patience, by
        self.least_gain, self.end = least_gain, end
        self.reductions = _figure(0.0, "reductions")
        self.bad_epochs = _figure(0.0, "bad_epochs")
        self.best = _figure(float("inf"), "best")

    @property
    def variables(self) -> list[keras.Variable]:
        """What a checkpoint must keep for the rate to go on where it was."""
        return [self.reductions, self.bad_epochs, self.best]

    def __call__(self, step):
        return ops.maximum(self.peak * ops.power(self.factor, self.reductions), self.end)

    def hear(self, figure: float) -> bool:
        """Takes in an epoch's validation figure; says whether the rate was reduced."""
        # In the precision of `best`, or an equal figure might count as better.
        worth = float(np.float32(figure if self.by == "loss" else -figure))
        if worth < float(self.best) - self.least_gain:
            self.best.assign(worth)
            self.bad_epochs.assign(0.0)
            return False
        self.bad_epochs.assign_add(1.0)
        if float(self.bad_epochs) < self.patience:
            return False
        self.bad_epochs.assign(0.0)
        self.reductions.assign_add(1.0)
        return True

    def callback(self) -> keras.callbacks.Callback:
        """Tells this schedule of each epoch's validation, in `fit`."""
        return keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.hear(float(logs[f"val_{self.by}"]))
        )

    def get_config(self):
        keys = ("peak", "factor", "patience", "by", "least_gain", "end")
        return {key: getattr(self, key) for key in keys}


def _figure(value: float, name: str) -> keras.Variable:
    return keras.Variable(value, trainable=False, dtype="float32", name=name)
