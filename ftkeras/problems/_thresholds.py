"""Thresholds of labels: the best for F1, and how they are written."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ftkeras.errors import UserError

TUNED = "tuned"
DEFAULT = 0.5
# The share of the way from the F1 of always predicting a label to 1 that a cut must gain. Without
# it, a label that the model can't tell would be predicted for nearly every text.
LEAST_GAIN = 0.1


def tune(targets: np.ndarray, probabilities: np.ndarray) -> list[float]:
    """Return the threshold of each label with the highest F1 on these examples.

    Every set of predictions that a threshold can make is tried: the cut below the lowest
    probability, and those halfway between neighbors. Of equally good cuts, that nearest to 0.5 is
    chosen, and 0.5 itself if it cuts at the same place.

    A label keeps 0.5 if no example has it, or if no cut is much better than predicting it for every
    example, whose F1 is 2 p / (1 + p) for a label with the share p: the best must gain a tenth of
    what that lacks to 1.

    Args:
        targets: 0 or 1, [examples, labels].
        probabilities: [examples, labels].

    >>> tune(np.array([[0], [1], [1]]), np.array([[0.125], [0.25], [0.5]]))
    [0.1875]
    """
    columns = zip(targets.T, probabilities.T, strict=True)
    return [_best(target, probability) for target, probability in columns]


def apply_in_graph(
    probabilities: Any, names: Sequence[str], thresholds: Sequence[float]
) -> dict[str, Any]:
    """Return the outputs that a multi-label model serves, all [batch, labels].

    Args:
        probabilities: float32 [batch, labels].
        names: of the labels.
        thresholds: of the labels.
    """
    import tensorflow as tf

    rows, labels = tf.shape(probabilities)[0], tf.constant(list(names))
    limits = tf.constant(thresholds, tf.float32)
    predicted = probabilities >= limits
    # Shifted by 1, so that each predicted label ranks before all others.
    order = tf.argsort(
        tf.where(predicted, 1.0 + probabilities, 0.0), direction="DESCENDING", stable=True
    )
    are_predicted = tf.gather(predicted, order, batch_dims=1)
    return {
        "labels": tf.where(are_predicted, tf.gather(labels, order), ""),
        "names": tf.repeat(labels[tf.newaxis], rows, axis=0),
        "probabilities": probabilities,
        "thresholds": tf.repeat(limits[tf.newaxis], rows, axis=0),
    }


def scale(thresholds: Sequence[float], factor: float) -> list[float]:
    """Return the thresholds that decide as before if the logits are multiplied by a number.

    >>> scale([0.5, 0.9], 0.5)
    [0.5, 0.75]
    """
    from scipy.special import logit

    return sigmoid(factor * logit(np.array(thresholds))).tolist()


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities, float64 [examples, labels]."""
    from scipy.special import expit

    return expit(logits.astype(np.float64))


def _best(target: np.ndarray, probability: np.ndarray) -> float:
    positives = int(target.sum())
    if not positives:
        return DEFAULT
    scores, at = np.unique(probability, return_inverse=True)
    correct = np.bincount(at, weights=target, minlength=len(scores))
    # The numbers of predicted and of right examples, if the cut is just below each score.
    predicted = np.cumsum(np.bincount(at, minlength=len(scores))[::-1])[::-1]
    correct = np.cumsum(correct[::-1])[::-1]
    f1 = 2 * correct / (predicted + positives)
    below = np.concatenate([[0.0], scores[:-1]])
    cuts = np.where((below < DEFAULT) & (scores >= DEFAULT), DEFAULT, (below + scores) / 2)
    always = f1[0]
    if 0 < always < 1 and f1.max() < always + LEAST_GAIN * (1 - always):
        return DEFAULT
    best = np.flatnonzero(f1 == f1.max())
    return float(cuts[best[np.argmin(np.abs(cuts[best] - DEFAULT))]])


def check_threshold(threshold: str | float) -> None:
    """Raise ValueError unless a threshold is tuned, or a number from 0 to 1."""
    if threshold != TUNED and not (isinstance(threshold, int | float) and 0 <= threshold <= 1):
        raise ValueError(
            f"`threshold` must be {TUNED!r} or a number from 0 to 1. Received: {threshold!r}."
        )


def read(text: str, names: Sequence[str], present: Sequence[float]) -> list[float]:
    """Return the thresholds that a text describes: one for all labels, or label=number,….

    Args:
        text: such as 0.3, or joy=0.3,anger=0.4; labels that are not named keep theirs.
        names: of the labels.
        present: their thresholds until now.

    Raises:
        UserError: if it can't be read, or a label is unknown.

    >>> read("joy=0.3", ["anger", "joy"], [0.5, 0.5])
    [0.5, 0.3]
    """
    if (one := _number(text)) is not None:
        return [one] * len(names)
    by_label = dict(zip(names, present, strict=True))
    for part in text.split(","):
        name, equals, value = part.rpartition("=")
        number = _number(value)
        if not equals or number is None:
            raise UserError(
                "`threshold` must be a number from 0 to 1, or label=number,label=number. "
                f"Received: {text!r}."
            )
        if name.strip() not in by_label:
            raise UserError(
                f"`threshold` names {name.strip()!r}; the labels are: {', '.join(names)}."
            )
        by_label[name.strip()] = number
    return [by_label[name] for name in names]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
