"""Samples of the training examples, for a privacy that is amplified by sampling."""

from collections.abc import Sequence

import numpy as np


class PoissonSampling:
    """Sample each example for each batch independently, with the same probability.

    So batches differ in size; one may be empty. An example may be in several batches of an epoch,
    or in none. Each example is a part of its batch, with all rows that it has.

    Args:
        counts: rows of each example, integer [examples]; the rows of an example follow each other.
        rate: the probability, in (0, 1].
        batches: in an epoch; at least 1.
        seed: integers that determine all samples.
        replicas: over which a batch is spread; each gets as many parts, some of padding.
    """

    def __init__(
        self,
        counts: np.ndarray,
        *,
        rate: float,
        batches: int,
        seed: Sequence[int],
        replicas: int = 1,
    ):
        self.counts, self.rate, self.batches = counts, rate, batches
        self.seed, self.replicas = tuple(seed), replicas
        self._firsts = np.cumsum(counts) - counts

    def parts(self, epoch: int) -> list[list[np.ndarray]]:
        """Return the rows of each example of each batch of an epoch; -1 for a part of padding.

        >>> two = PoissonSampling(np.array([1, 2, 1]), rate=1.0, batches=1, seed=(1,))
        >>> [part.tolist() for part in two.parts(epoch=0)[0]]
        [[0], [1, 2], [3]]
        """
        rng = np.random.default_rng((*self.seed, epoch))
        return [self._batch(rng) for _ in range(self.batches)]

    def _batch(self, rng: np.random.Generator) -> list[np.ndarray]:
        # A binomial number of distinct examples is what independent choices give.
        size = rng.binomial(len(self.counts), self.rate)
        chosen = np.sort(rng.choice(len(self.counts), size, replace=False, shuffle=False))
        rows = [self._firsts[n] + np.arange(int(self.counts[n])) for n in chosen]
        # Two parts at least on each replica, because one would have no axis of parts.
        each = max(2, -(-size // self.replicas))
        padding = [np.array([-1])] * (each * self.replicas - size)
        return [*rows, *padding]
