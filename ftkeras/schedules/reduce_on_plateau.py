"""Reduction on a plateau of validation."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class ReduceOnPlateau(keras.optimizers.schedules.LearningRateSchedule):
    """Reduce the learning rate by a factor whenever the validation metric stops improving.

    rate(t) = max(peak * factor^reductions, end)

    An epoch is bad if its validation metric is not better than the best so far by more than
    `least_gain`. After `patience` bad epochs in a row, `reductions` grows by one and the count of
    bad epochs starts again.

    Unlike other schedules, it does not depend on the step alone. `reductions`, `best` and
    `bad_epochs` are Keras variables (`variables`), which the traced step reads, and checkpoints
    and `.keras` files save. Pass `callback()` to `fit`, so that they are updated.

    Source: He et al., 2016, section 3.4 ("divided by 10 when the error plateaus"),
    https://arxiv.org/abs/1512.03385. Epochs are counted as in Keras's ReduceLROnPlateau.

    Args:
        peak: first learning rate; positive.
        factor: share of the learning rate that is left after a reduction; above 0, below 1.
        patience: bad epochs in a row before a reduction; at least 1.
        by: the validation metric: 'loss' (lower is better) or 'accuracy' (higher is better).
        least_gain: smallest improvement that counts, in the unit of the metric; at least 0.
        end: lowest learning rate; from 0 to `peak`.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = ReduceOnPlateau(peak=1.0, factor=0.5)
    >>> [schedule.update(loss) for loss in (0.7, 0.6, 0.6)]
    [False, False, True]
    >>> float(schedule(1000))
    0.5
    """

    rises = False

    def __init__(
        self,
        peak: float,
        *,
        factor: float = 0.5,
        patience: int = 1,
        by: str = "loss",
        least_gain: float = 0.0,
        end: float = 0.0,
    ):
        bounds.positive(peak=peak)
        bounds.positive_share(factor=factor)
        _lengths.end_rate(end, peak=peak)
        bounds.integer(1, patience=patience)
        bounds.choice(("loss", "accuracy"), by=by)
        bounds.not_negative(least_gain=least_gain)
        self.peak, self.factor, self.patience, self.by = peak, factor, patience, by
        self.least_gain, self.end = least_gain, end
        self.reductions = _scalar(0.0, "reductions")
        self.bad_epochs = _scalar(0.0, "bad_epochs")
        self.best = _scalar(float("inf"), "best")

    @property
    def variables(self) -> list[keras.Variable]:
        """Return the state, which a checkpoint saves."""
        return [self.reductions, self.bad_epochs, self.best]

    def __call__(self, step: Any) -> Any:
        return ops.maximum(self.peak * ops.power(self.factor, self.reductions), self.end)

    def update(self, metric: float) -> bool:
        """Record an epoch's validation metric, and return whether the learning rate was reduced."""
        # In the precision of `best`: otherwise an equal metric might count as better.
        cost = float(np.float32(metric if self.by == "loss" else -metric))
        if cost < _number(self.best) - self.least_gain:
            self.best.assign(cost)
            self.bad_epochs.assign(0.0)
            return False
        self.bad_epochs.assign_add(1.0)
        if _number(self.bad_epochs) < self.patience:
            return False
        self.bad_epochs.assign(0.0)
        self.reductions.assign_add(1.0)
        return True

    def callback(self) -> keras.callbacks.Callback:
        """Return a callback for `fit` that passes the metric of each validation on.

        Raises:
            ValueError: at the end of an epoch whose validation lacks the metric, or of the first
                one, if nothing is validated.
        """
        return keras.callbacks.LambdaCallback(on_epoch_end=self._read)

    def _read(self, epoch: int, logs: Mapping[str, float]) -> None:
        validated = [name for name in logs if name.startswith("val_")]
        if f"val_{self.by}" in logs:
            self.update(float(logs[f"val_{self.by}"]))
        elif validated or epoch == 0:
            found = ", ".join(validated) or "none, as `fit` has no `validation_data`"
            raise ValueError(
                f"`by`={self.by!r} needs the metric val_{self.by}; there are: {found}."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments and the state, which a saved model goes on with."""
        keys = ("peak", "factor", "patience", "by", "least_gain", "end")
        state = [_number(variable) for variable in self.variables]
        return {**{key: getattr(self, key) for key in keys}, "state": state}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ReduceOnPlateau":
        made = cls(**{key: value for key, value in config.items() if key != "state"})
        for variable, value in zip(made.variables, config.get("state", ()), strict=False):
            variable.assign(value)
        return made


def _scalar(value: float, name: str) -> keras.Variable:
    return keras.Variable(value, trainable=False, dtype="float32", name=name)


def _number(variable: keras.Variable) -> float:
    """Return the value of a scalar; `float` fails if several replicas have a copy of it."""
    return float(variable.numpy())
