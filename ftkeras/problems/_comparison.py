"""The differences between an export's outputs and those that the run has recorded."""

from dataclasses import dataclass, field

import numpy as np

# Probabilities of float32 that are nearer to 1, and those nearer to 0 in files with seven decimals,
# are not precise enough for their logits to be compared, so they count as this far.
SMALLEST = 1e-6
# Logits and cosines of a model that tells texts apart spread at least this much. Without a bound,
# rounding would be a large change if they are nearly the same for all texts.
LEAST_SPREAD = 1e-2


@dataclass(frozen=True)
class Comparison:
    """The differences between an export's outputs and the run's.

    Attributes:
        samples: texts compared.
        largest_difference: of an output, over all texts.
        logit_change: how far the answers moved by rounded weights: the largest change of a logit,
            relative to the spread of the logits, unless `moves` says otherwise.
        changes: what changed, in a few words, such as "2 of 60 labels change".
        details: further entries of export.json.
        moves: what `logit_change` is, in words; {} stands for its value.
    """

    samples: int
    largest_difference: float
    logit_change: float
    changes: str
    details: dict[str, int | float] = field(default_factory=dict)
    moves: str = "logits move by {} of their spread"

    def record(self) -> dict[str, int | float]:
        """Return the entries of export.json."""
        return {
            "samples": self.samples,
            "largest_difference": self.largest_difference,
            "logit_change": self.logit_change,
            **self.details,
        }

    def summary(self) -> str:
        """Return the comparison of an export with rounded weights in a few words.

        >>> Comparison(100, 0.01, 0.034, "2 of 100 labels change").summary()
        '2 of 100 labels change, logits move by at most 3.4 % of their spread'
        """
        return f"{self.changes}, {self.moves.format(f'at most {100 * self.logit_change:.2g} %')}"


def compare_choices(
    measured: np.ndarray,
    exported: np.ndarray,
    truth: np.ndarray,
    *,
    unit: str,
    present: np.ndarray | None = None,
) -> Comparison:
    """Compare the probabilities of classes or options, one of which is the answer.

    The change of the logits is

        max |z'_ic - z_ic| / sqrt(mean z_ic²),     z_ic = log p_ic - mean_c log p_ic

    over examples i and classes c. These centered log-probabilities are the logits less their mean
    over the classes, so they do not depend on the shift that softmax ignores. As their mean is 0,
    the denominator is their standard deviation, or `LEAST_SPREAD` if it is smaller.

    Args:
        measured: the run's probabilities p, [examples, classes].
        exported: the export's.
        truth: the right class of each example, integer [examples].
        unit: what an answer is called, such as "label".
        present: which classes an example has, bool [examples, classes]; None for all.
    """
    before, after = _centered_logits(measured, present), _centered_logits(exported, present)
    spread = np.sqrt(np.mean(before**2, where=True if present is None else present))
    predicted = exported.argmax(axis=1)
    changed = int((predicted != measured.argmax(axis=1)).sum())
    change = np.abs(after - before).max() / max(spread, LEAST_SPREAD)
    return Comparison(
        samples=len(truth),
        largest_difference=float(np.abs(exported - measured).max()),
        logit_change=float(change),
        changes=f"{changed} of {len(truth)} {unit}s change",
        details={f"{unit}s_changed": changed, "accuracy": float((predicted == truth).mean())},
    )


def logit_change(before: np.ndarray, after: np.ndarray) -> float:
    """Return the largest change of a sigmoid's logits, relative to their spread.

    max |z' - z| / max(sd(z), LEAST_SPREAD),     z = log p / (1 - p)

    Args:
        before: probabilities p, [examples, labels].
        after: the same after the change.
    """
    first, second = _logits(before), _logits(after)
    return float(np.abs(second - first).max() / max(first.std(), LEAST_SPREAD))


def _centered_logits(probabilities: np.ndarray, present: np.ndarray | None = None) -> np.ndarray:
    """Return the logarithms of probabilities less their mean over the classes of an example.

    Args:
        probabilities: [examples, classes].
        present: bool [examples, classes], which of them an example has; None for all. The others
            are 0 in the result.
    """
    logs = np.log(np.maximum(probabilities, SMALLEST))
    if present is None:
        return logs - logs.mean(axis=1, keepdims=True)
    return np.where(present, logs - logs.mean(axis=1, keepdims=True, where=present), 0.0)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities.astype(np.float64), SMALLEST, 1 - SMALLEST)
    return np.log(clipped / (1 - clipped))
