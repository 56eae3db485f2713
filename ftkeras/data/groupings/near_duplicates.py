"""Group texts that are nearly the same."""

from collections.abc import Callable

import numpy as np

from ftkeras.data.groupings import _minhash
from ftkeras.support import bounds


class NearDuplicates:
    """Texts that share most of their shingles stay together, and so does what chains of them link.

    resemblance(A, B) = |S(A) ∩ S(B)| / |S(A) ∪ S(B)|,     S(T) all runs of `shingle` tokens of T

    It is read off the token ids that a run sees, so texts that are alike up to where they are cut
    count as alike. Estimated by the share of 128 min-hashes that agree, whose standard error is
    √(s (1 − s) / 128), 0.04 at most; of texts that resemble each other by a half, 13 % escape being
    compared, of those by 0.8 one in ten million.

    Source: Broder, On the Resemblance and Containment of Documents, 1997,
    https://doi.org/10.1109/SEQUEN.1997.666900; the bands: Leskovec, Rajaraman and Ullman, Mining of
    Massive Datasets, section 3.4, http://www.mmds.org.

    Args:
        similarity: resemblance from which on two texts stay together; above 0 and below 1.
        shingle: tokens a run; at least 1. A shorter text is one run.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, similarity: float = 0.5, shingle: int = 5):
        bounds.positive_share(similarity=similarity)
        bounds.integer(1, shingle=shingle)
        self._similarity, self._shingle = similarity, shingle

    def groups(self, examples, column: Callable | None = None) -> np.ndarray:
        """The group of each example, int64 [examples]."""
        signatures = _minhash.signatures(examples, shingle=self._shingle)
        return _minhash.components(signatures, similarity=self._similarity)
