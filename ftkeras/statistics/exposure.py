"""Exposure: how much better a model knows a planted text than others of its kind."""

from dataclasses import dataclass

import numpy as np

from ftkeras.statistics import membership


@dataclass(frozen=True)
class Exposure:
    """The exposure of planted texts.

    Attributes:
        each: the exposure of each planted text, in bits, [planted].
        mean, largest: of these.
        without: the mean exposure of texts that a model does not know.
        bound: the largest exposure that so many candidates can show.
        auc: the probability that a planted text has a smaller loss than a candidate.
        auc_interval: its 95 % interval.
    """

    each: np.ndarray
    mean: float
    largest: float
    without: float
    bound: float
    auc: float
    auc_interval: tuple[float, float]


def exposure(planted: np.ndarray, candidates: np.ndarray) -> Exposure:
    """Return the exposure of planted texts.

    exposure_i = log2(n + 1) - log2(rank_i)

    where rank_i is the place of the loss on text i among it and the losses on the n candidates;
    equal losses count half.

    Source: Carlini et al., The Secret Sharer, 2019, section 4.2, https://arxiv.org/abs/1802.08232.

    Args:
        planted: the losses on planted texts, [planted], at least 2.
        candidates: the losses on texts that could have been planted, [n], at least 2.

    >>> memorized = exposure(np.array([0.1, 0.5]), np.array([0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]))
    >>> memorized.each.tolist(), memorized.bound
    ([3.0, 1.0], 3.0)
    """
    count = len(candidates)
    smaller = (candidates < planted[:, None]).sum(axis=1)
    equal = (candidates == planted[:, None]).sum(axis=1)
    each = np.log2(count + 1) - np.log2(1 + smaller + equal / 2)
    area, low, high = membership.auc(-planted, -candidates)
    return Exposure(
        each=each,
        mean=float(each.mean()),
        largest=float(each.max()),
        without=float(np.log2(count + 1) - np.log2(np.arange(1, count + 2)).mean()),
        bound=float(np.log2(count + 1)),
        auc=area,
        auc_interval=(low, high),
    )
