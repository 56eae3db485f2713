"""Whether a setting's first folds leave it any hope."""

from collections.abc import Iterable

from ftkeras.search import results
from ftkeras.search.results import Result
from ftkeras.statistics.significance import corrected_t

# One-sided; so often at most a setting that is as good as the best would be given up.
ERROR = 0.05


def hopeless(result: Result, ended: Iterable[Result], objective: str, *, folds: int) -> str | None:
    """Why the rest of a setting's folds need not be run; None where they should.

    Of the folds seen so far, m ≥ 2, the differences to the best setting that was completed, fold by
    fold: it is hopeless where even the lower end of the one-sided 95 % interval of their mean is
    above 0, that is, where the best one's lead can't be put down to these folds alone. The interval
    is Student's with the variance corrected for the training data that folds share.

    Source: racing, Maron and Moore, Hoeffding races, NIPS 1993; the corrected interval: see
    `significance.corrected_t`.

    Args:
        result: the setting's so far.
        ended: other settings'.
        objective: accuracy or loss.
        folds: of the whole cross-validation.
    """
    leader, seen = results.best(ended, objective), len(result.scores)
    if leader is None or not 2 <= seen < folds:
        return None
    sign = -1 if objective == "loss" else 1
    leads = [sign * (best - own) for best, own in zip(leader.scores, result.scores, strict=False)]
    least = corrected_t(leads, test_share=1 / (folds - 1), confidence=1 - 2 * ERROR).low
    if least <= 0:
        return None
    return (
        f"after {seen} of {folds} folds trial {leader.trial} leads by {sum(leads) / seen:.4f}, "
        f"at least {least:.4f} with 95 % confidence"
    )
