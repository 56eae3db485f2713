"""Self-training in rounds, on confident answers."""

import numpy as np

from ftkeras.support import bounds


class Rounds:
    """Train in rounds, each on the confident answers of the previous round as if they were labels.

    A text x without a label gets the label y = argmax p(y | x) if p(y | x) >= `confidence`. p are
    the calibrated probabilities of the previous round: softmax(z / T), with the temperature T that
    fits validation best. Each round starts from the run's encoder, not from the weights of the
    previous round, and chooses the texts again. The rounds end when the validation metric gets
    worse; the best round becomes the run.
    Source: Lee, 2013, "Pseudo-Label"; temperature: Guo et al., 2017,
    https://arxiv.org/abs/1706.04599.

    Args:
        count: number of rounds after the first one, which learns only from labels; at least 1.
        confidence: smallest probability of an answer that is used; above 0, at most 1.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Rounds(confidence=0.9).choose(np.array([[0.95, 0.05], [0.2, 0.8]])).tolist()
    [True, False]
    """

    def __init__(self, *, count: int = 2, confidence: float = 0.95):
        bounds.integer(1, count=count)
        bounds.positive(confidence=confidence)
        if confidence > 1:
            raise ValueError(f"`confidence` must be at most 1. Received: {confidence}.")
        self.count, self.confidence = count, confidence

    def choose(self, probabilities: np.ndarray) -> np.ndarray:
        """Return which answers are confident enough; see `SelfTraining.choose`."""
        return probabilities.max(axis=1) >= self.confidence
