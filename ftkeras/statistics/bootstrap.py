"""Bootstrap samples of examples and of seeds, and the figures of classifiers on them.

All ways are measured on the same samples of the examples, so differences between them are paired.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

FIGURES = ("accuracy", "log_loss", "precision", "recall", "f1", "auc")
# Numbers in one array of weights: what a processor's cache about holds.
WEIGHTS_A_STEP = 1 << 21
# The smallest probability that a file of predictions tells from 0.
SMALLEST = 5e-8


@dataclass(frozen=True)
class Answers:
    """What one run said of the examples.

    Attributes:
        labels: integer [examples].
        probabilities: float [examples, classes].
    """

    labels: np.ndarray
    probabilities: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Whether each prediction is right, bool [examples]."""
        return self.probabilities.argmax(axis=1) == self.labels

    @property
    def of_truth(self) -> np.ndarray:
        """The probability given to each true label, [examples]."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]


def resampled(ways: list[list[Answers]], *, resamples: int, seed: int) -> np.ndarray:
    """Each way's figures, the mean over its runs, in each bootstrap sample.

    A sample draws n of the n examples, with replacement, the same for all; and of a way's S runs
    S − 1, with replacement, or the one where there is but one. Were it S, the variance between runs
    would come out too small by (S − 1)/S, which matters where S is 2 or 3; with S − 1 it does not.

    Source: Efron, Bootstrap Methods, 1979, https://doi.org/10.1214/aos/1176344552; S − 1 of S: Rao
    and Wu, Resampling Inference with Complex Survey Data, 1988, https://doi.org/10.2307/2288945.

    Args:
        ways: the runs of each way, all on the same examples.
        resamples: samples; positive.
        seed: draws them.

    Returns:
        [resamples, ways, figures], in the order of FIGURES; NaN where a figure has no value.
    """
    # Each way draws for itself, so that its figures hang on no other way's.
    rng, *way_rngs = (np.random.default_rng((seed, number)) for number in range(len(ways) + 1))
    examples = len(ways[0][0].labels)
    tables = [[_Table(run) for run in runs] for runs in ways]
    drawn = []
    for weights in _weights(rng, examples, resamples):
        way_figures = []
        for runs, way_rng in zip(tables, way_rngs, strict=True):
            figures = np.stack([table.figures(weights) for table in runs])
            size = max(1, len(runs) - 1)
            chosen = way_rng.integers(len(runs), size=(size, len(weights)))
            way_figures.append(figures[chosen, np.arange(len(weights))].mean(axis=0))
        drawn.append(np.stack(way_figures, axis=1))
    return np.concatenate(drawn)


def measured(ways: list[list[Answers]]) -> np.ndarray:
    """Each way's figures on all examples, the mean over its runs, [ways, figures]."""
    weights = np.ones((1, len(ways[0][0].labels)), np.float32)
    return np.stack([np.mean([_Table(run).figures(weights)[0] for run in way], 0) for way in ways])


def interval(samples: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The percentile interval's ends over the first axis.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    ends = np.array([1 - confidence, 1 + confidence]) / 2
    with warnings.catch_warnings():  # a figure that has no value in any sample has no interval
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanquantile(samples, ends, axis=0)
    return low, high


def p_value(differences: np.ndarray) -> float:
    """Two-sided: the level at which the percentile interval of the differences just holds 0.

    p = 2 · (1 + min(samples ≤ 0, samples ≥ 0)) / (samples + 1)

    Source: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.4.
    """
    tail = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2 * (1 + tail) / (len(differences) + 1)))


def _weights(rng, examples: int, resamples: int) -> Iterator[np.ndarray]:
    """How often each example stands in each sample, float32 [some samples, examples]."""
    step = max(1, WEIGHTS_A_STEP // examples)
    for first in range(0, resamples, step):
        count = min(step, resamples - first)
        drawn = rng.integers(examples, size=(count, examples), dtype=np.int32)
        drawn += np.arange(count, dtype=np.int32)[:, None] * np.int32(examples)
        counts = np.bincount(drawn.ravel(), minlength=count * examples)
        yield counts.reshape(count, examples).astype(np.float32)


class _Table:
    """What a run's figures are sums of, so that a weight an example gives them at once."""

    def __init__(self, run: Answers):
        self._classes = run.probabilities.shape[1]
        predicted = run.probabilities.argmax(axis=1)
        actual = np.eye(self._classes, dtype=np.float32)[run.labels]
        said = np.eye(self._classes, dtype=np.float32)[predicted]
        loss = -np.log(np.maximum(run.of_truth, SMALLEST)).astype(np.float32)
        self._columns = np.concatenate([actual * said, actual, said, loss[:, None]], axis=1)
        scored = [1] if self._classes == 2 else range(self._classes)
        self._rankings = [_Ranking(run.probabilities[:, c], actual[:, c] > 0) for c in scored]

    def figures(self, weights: np.ndarray) -> np.ndarray:
        """The figures under each row of weights, [rows, figures]."""
        sums, total = (weights @ self._columns).astype(float), weights.sum(axis=1, dtype=float)
        right, actual, said = np.split(sums[:, :-1], 3, axis=1)
        by_class = (_ratio(right, said), _ratio(right, actual), _ratio(2 * right, said + actual))
        # Of two classes the second's; of more the mean over all, as in metrics.json.
        shown = [f[:, 1] if self._classes == 2 else f.mean(axis=1) for f in by_class]
        area = np.mean([ranking.area(weights) for ranking in self._rankings], axis=0)
        accuracy, loss = right.sum(axis=1) / total, sums[:, -1] / total
        return np.stack([accuracy, loss, *shown, area], axis=1)


class _Ranking:
    """The area under the ROC curve, for one class against the rest, under weights.

    area = Σ over positives w (negatives scored lower + half of those scored the same) / (P · N)

    Source: Mann and Whitney, 1947; Fawcett, 2006, https://doi.org/10.1016/j.patrec.2005.10.010.
    """

    def __init__(self, scores: np.ndarray, positive: np.ndarray):
        self._order = np.argsort(scores, kind="stable")
        self._positive = positive[self._order].astype(np.float32)
        ranked = scores[self._order]
        self._first = np.searchsorted(ranked, ranked, "left")
        self._last = np.searchsorted(ranked, ranked, "right")

    def area(self, weights: np.ndarray) -> np.ndarray:
        """The area under each row of weights; NaN where a row has no positive or no negative."""
        weights = weights[:, self._order]
        positive = weights * self._positive
        below = np.zeros((len(weights), weights.shape[1] + 1))
        np.cumsum(weights - positive, axis=1, out=below[:, 1:])
        half = (below[:, self._first] + below[:, self._last]) / 2
        pairs = positive.sum(axis=1, dtype=float) * below[:, -1]
        with np.errstate(invalid="ignore"):
            return np.where(pairs > 0, (positive * half).sum(axis=1), np.nan) / np.maximum(pairs, 1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
