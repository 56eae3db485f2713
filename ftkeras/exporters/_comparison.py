"""Compare the predictions of an export with those that the run has recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ftkeras.errors import UserError
from ftkeras.text.layer import TextLayer

BATCH = 16
# The run records probabilities with seven decimals. Those below are not precise enough to be
# compared as logarithms, so they count as this.
SMALLEST = 1e-6
# How far logits may move, relative to their spread, by what the weights are stored in.
LOGIT_TOLERANCES = {"float16": 0.02, "bfloat16": 0.15, "int8": 0.25}


@dataclass(frozen=True)
class Comparison:
    """The differences between an export's predictions and the run's.

    Attributes:
        samples: Texts compared.
        largest_difference: Of a probability, over all texts and classes.
        logit_change: Largest change of a logit, relative to the spread of the logits:
            max |z'_ic - z_ic| / sqrt(mean z_ic²) over texts i and classes c, where
            z_ic = log p_ic - mean_c log p_ic. These centered log-probabilities are the logits less
            their mean over the classes, so they do not depend on the shift that softmax ignores.
            As their mean is 0, the denominator is their standard deviation.
        labels_changed: Texts whose label is another one.
        accuracy: Of the export, over these texts.
    """

    samples: int
    largest_difference: float
    logit_change: float
    labels_changed: int
    accuracy: float

    def record(self) -> dict[str, int | float]:
        """Return the entries of export.json."""
        return {
            "samples": self.samples,
            "largest_difference": self.largest_difference,
            "logit_change": self.logit_change,
            "labels_changed": self.labels_changed,
            "same_label": 1 - self.labels_changed / self.samples,
            "accuracy": self.accuracy,
        }

    def summary(self) -> str:
        """Return the comparison of an export with rounded weights in a few words.

        >>> Comparison(100, 0.01, 0.034, 2, 0.91).summary()
        '2 of 100 labels change, logits move by at most 3.4 % of their spread'
        """
        return (
            f"{self.labels_changed} of {self.samples} labels change, logits move by at most "
            f"{100 * self.logit_change:.2g} % of their spread"
        )


@dataclass(frozen=True)
class Bounds:
    """Bounds on those differences; None for no bound.

    Args:
        tolerance: Bound of a probability's difference, in 0 to 1.
        logit_tolerance: Bound of `Comparison.logit_change`; not negative.

    Raises:
        ValueError: Naming the argument, its bound and the value received.
    """

    tolerance: float | None = None
    logit_tolerance: float | None = None

    def __post_init__(self):
        if self.tolerance is not None and not 0 <= self.tolerance <= 1:
            raise ValueError(f"`tolerance` must be in 0 to 1. Received: {self.tolerance!r}.")
        if self.logit_tolerance is not None and not self.logit_tolerance >= 0:
            raise ValueError(
                f"`logit_tolerance` must not be negative. Received: {self.logit_tolerance!r}."
            )

    @classmethod
    def choose(
        cls,
        stored_in: str,
        exact: float,
        *,
        tolerance: float | None,
        logit_tolerance: float | None,
    ) -> "Bounds":
        """Return the caller's bounds, or the default for how the weights are stored.

        Args:
            stored_in: `float32`, or a key of `LOGIT_TOLERANCES`.
            exact: Default of `tolerance` with float32 weights.
            tolerance: The caller's, or None.
            logit_tolerance: The caller's, or None.
        """
        if tolerance is None and stored_in == "float32":
            tolerance = exact
        if logit_tolerance is None:
            logit_tolerance = LOGIT_TOLERANCES.get(stored_in)
        return cls(tolerance, logit_tolerance)

    def check(self, found: Comparison, exporter: str) -> None:
        """Raise UserError if the predictions differ by more than the bounds."""
        # Written so that NaN, which is in no order with anything, is refused.
        if self.tolerance is not None and not found.largest_difference <= self.tolerance:
            raise UserError(
                f"export={exporter}: a probability differs by {found.largest_difference:.1e} from "
                f"what the run has measured, more than tolerance={self.tolerance:g}; "
                f"{found.labels_changed} of {found.samples} labels change."
            )
        if self.logit_tolerance is not None and not found.logit_change <= self.logit_tolerance:
            raise UserError(
                f"export={exporter}: logits move by {found.logit_change:.2g} of their spread, more "
                f"than logit_tolerance={self.logit_tolerance:g}; {found.labels_changed} of "
                f"{found.samples} labels change."
            )

    def record(self) -> dict[str, float | None]:
        """Return the entries of export.json."""
        return {"tolerance": self.tolerance, "logit_tolerance": self.logit_tolerance}


def compare(samples: list[dict], labels: Sequence[str], probabilities: np.ndarray) -> Comparison:
    """Compare an export's predictions with the run's.

    Args:
        samples: The run's samples, with `probabilities` and the true `label`.
        labels: A class's name by its index.
        probabilities: The export's, float [samples, classes].
    """
    measured = np.array([sample["probabilities"] for sample in samples])
    truth = np.array([list(labels).index(sample["label"]) for sample in samples])
    predicted = probabilities.argmax(axis=1)
    before, after = _centered_logits(measured), _centered_logits(probabilities)
    change, spread = np.abs(after - before).max(), np.sqrt(np.mean(before**2))
    return Comparison(
        samples=len(samples),
        largest_difference=float(np.abs(probabilities - measured).max()),
        logit_change=float(change / max(spread, np.finfo(spread.dtype).tiny)),
        labels_changed=int((predicted != measured.argmax(axis=1)).sum()),
        accuracy=float((predicted == truth).mean()),
    )


def predict(
    samples: list[dict],
    text_layer: TextLayer,
    run: Callable[[dict[str, np.ndarray]], np.ndarray],
) -> np.ndarray:
    """Return probabilities [samples, classes] of a model that takes token ids.

    Args:
        samples: The run's samples, with `text` and maybe `pair`.
        text_layer: Makes the token ids.
        run: Turns ids by name into probabilities [batch, classes].
    """
    starts = range(0, len(samples), BATCH)
    batches = [padded_ids(samples[start : start + BATCH], text_layer) for start in starts]
    return np.concatenate([np.asarray(run(ids)) for ids in batches])


def padded_ids(samples: list[dict], text_layer: TextLayer) -> dict[str, np.ndarray]:
    """Return the samples' `token_ids`, and of pairs `segment_ids`, int32 [samples, length]."""
    columns = [
        [sample[name].encode("utf-8", "surrogateescape") for sample in samples]
        for name in ("text", "pair")
        if name in samples[0]
    ]
    fill = {"token_ids": text_layer.tokenizer.pad_id, "segment_ids": 0}
    ids = text_layer(*columns)
    return {name: ids[name].to_tensor(fill[name]).numpy() for name in ids}


def _centered_logits(probabilities: np.ndarray) -> np.ndarray:
    logs = np.log(np.maximum(probabilities, SMALLEST))
    return logs - logs.mean(axis=1, keepdims=True)
