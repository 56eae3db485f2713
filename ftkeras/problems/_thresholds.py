"""Thresholds of labels: the best for F1, and how they are written."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ftkeras.errors import UserError

TUNED = "tuned"
DEFAULT = 0.5
# So many positives of all labels together count in the F1 of each label. docs/problems.md measures
# what this gains.
SHARED = 20
# The share of the way from the F1 of always predicting a label to 1 that a cut must gain. Without
# it, a label that the model can't tell would be predicted for nearly every text.
LEAST_GAIN = 0.1


def tune(targets: np.ndarray, probabilities: np.ndarray) -> list[float]:
    """Return the threshold of each label with the highest F1 on these examples and all labels.

    The threshold of a label with few examples would fit these by chance. So the decisions about
    all labels at the same threshold count as well, with the weight of 20 positive examples. Of the
    label's N predictions and P positives, C are both; N', P' and C' are those of all labels:

        F1 = 2 (C + w C') / (N + P + w (N' + P')),  w = 20 / P'

    The more examples have a label, the nearer its threshold is to that of its own F1. The
    thresholds that are tried make every set of predictions that one can make for the label: below
    its lowest probability, and halfway between neighbors. The best threshold for all labels
    together is tried too. Of equally good ones, that nearest to 0.5 is chosen, and 0.5 itself if
    it makes the same predictions.

    A label keeps 0.5 if no threshold is much better than predicting every label for every example:
    the best must gain a tenth of what the F1 of that lacks to 1. If no example has any label, all
    keep 0.5.

    Args:
        targets: 0 or 1, [examples, labels].
        probabilities: [examples, labels].

    >>> tune(np.array([[0], [1], [1]]), np.array([[0.125], [0.25], [0.5]]))
    [0.1875]
    """
    together = _Decisions(targets.ravel(), probabilities.ravel())
    if not together.positives:
        return [DEFAULT] * targets.shape[1]
    cuts = together.cuts()
    highest = _nearest(cuts, _f1(together.counts(cuts)))
    columns = zip(targets.T, probabilities.T, strict=True)
    return [_best(_Decisions(target, scores), together, highest) for target, scores in columns]


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


class _Decisions:
    """The probabilities and the truth of some decisions, sorted."""

    def __init__(self, targets: np.ndarray, probabilities: np.ndarray):
        order = np.argsort(probabilities)
        self.scores = probabilities[order]
        # The positives among the lowest 0, 1, … scores.
        self.below = np.concatenate([[0], np.cumsum(targets[order])])
        self.positives = int(self.below[-1])

    def cuts(self) -> np.ndarray:
        """Return a threshold for each set of decisions that one can make, in ascending order."""
        scores = np.unique(self.scores)
        below = np.concatenate([[0.0], scores[:-1]])
        return np.where((below < DEFAULT) & (scores >= DEFAULT), DEFAULT, (below + scores) / 2)

    def counts(self, cuts: np.ndarray) -> np.ndarray:
        """Return the right ones, and the sum of predictions and positives, [2, cuts]."""
        below = np.searchsorted(self.scores, cuts)
        predicted = len(self.scores) - below
        return np.stack([self.positives - self.below[below], predicted + self.positives])


def _best(own: _Decisions, together: _Decisions, highest: float) -> float:
    """Return the best threshold of a label, given the one of the highest F1 for all labels."""
    share = SHARED / together.positives
    # Its own cuts may all be below what is best for all labels.
    cuts = np.unique(np.concatenate([[0.0], own.cuts(), [highest]]))
    f1 = _f1(own.counts(cuts) + share * together.counts(cuts))
    always = f1[0]
    if always < 1 and f1.max() < always + LEAST_GAIN * (1 - always):
        return DEFAULT
    return _nearest(cuts, f1)


def _f1(counts: np.ndarray) -> np.ndarray:
    correct, total = counts
    return 2 * correct / total


def _nearest(cuts: np.ndarray, f1: np.ndarray) -> float:
    """Return the cut of the highest F1, up to rounding, that is nearest to 0.5."""
    best = cuts[f1 >= f1.max() * (1 - 1e-12)]
    return float(best[np.argmin(np.abs(best - DEFAULT))])


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
    # A name may have commas, or begin like another one, so the longest comes first.
    known = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    entry, rest = re.compile(rf"\s*({known})\s*=([^,]*),"), text + ","
    while rest:
        found = entry.match(rest)
        if found is None or (number := _number(found[2])) is None:
            raise UserError(_refusal(rest, text, names))
        by_label[found[1]], rest = number, rest[found.end() :]
    return [by_label[name] for name in names]


def _refusal(rest: str, text: str, names: Sequence[str]) -> str:
    """Return a message about the first part of the rest of a text."""
    name, equals, value = rest.split(",")[0].rpartition("=")
    if equals and name.strip() not in names and _number(value) is not None:
        return f"`threshold` names {name.strip()!r}; the labels are: {', '.join(names)}."
    return (
        "`threshold` must be a number from 0 to 1, or numbers of labels, such as "
        f"joy=0.3,anger=0.4. Received: {text!r}."
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
