"""Stop a cross-validated trial early if its first folds show that it can't win."""

from collections.abc import Iterable

from ftkeras.problems import is_lower_better
from ftkeras.search import results
from ftkeras.search.results import Result
from ftkeras.statistics.significance import corrected_t

# One-sided error of all looks at a trial together: how often a setting as good as the best would be
# stopped if that were known, rather than the best of several by chance.
ERROR = 0.05


def reason_to_prune(
    result: Result, ended: Iterable[Result], objective: str, *, folds: int
) -> str | None:
    """Return why the trial's remaining folds need not run; None if they should.

    Take the differences between the best completed trial and this one on the m ≥ 2 folds seen so
    far. The trial is stopped if even the lower end of the one-sided interval of their mean is above
    0, so that the lead can't be explained by these folds alone. The interval is Student's, with the
    variance corrected for the training data that folds share. Its level is 1 − ERROR / looks, as
    there is a look after every fold but the first and the last (Bonferroni). If the oracle allots
    epochs, only trials of as many epochs are compared.

    Source: racing, Maron and Moore, Hoeffding races, NIPS 1993; the corrected interval: see
    `significance.corrected_t`.

    Args:
        result: the trial so far.
        ended: the trials that have ended.
        objective: the metric by which trials are compared.
        folds: number of folds of the complete cross-validation.
    """
    comparable = (other for other in ended if other.last_epoch == result.last_epoch)
    best, seen = results.best(comparable, objective), len(result.scores)
    if best is None or not 2 <= seen < folds:
        return None
    sign = -1 if is_lower_better(objective) else 1
    leads = [sign * (other - own) for other, own in zip(best.scores, result.scores, strict=False)]
    error = ERROR / (folds - 2)
    found = corrected_t(leads, test_share=1 / (folds - 1), confidence=1 - 2 * error)
    least = found.low
    if least is None or least <= 0 or found.p_value is None:  # equal leads tell no spread
        return None
    return (
        f"after {seen} of {folds} folds trial {best.trial} leads by {sum(leads) / seen:.4f}, "
        f"at least {least:.4f} with {100 * (1 - error):.3g} % confidence"
    )
