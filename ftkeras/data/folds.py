"""Assign examples to folds: stratified by class, without splitting a group."""

import logging
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.errors import UserError

log = logging.getLogger(__name__)

# The grouping if `group_by` is not set.
DEFAULT_GROUPING = "near_duplicates"
# Most folds that are held out together: a share of 0.35 is 7 of 20.
_MOST_JOINED = 100


def build_folds(
    config: Config,
    pool: Examples,
    classes: np.ndarray,
    column: Callable[[str], np.ndarray],
) -> np.ndarray:
    """Return the fold of each example, int64 [examples], as the configuration describes them.

    Args:
        config: the run's; uses `folds`, `group_by`, `data_seed` and `fold_repeat`.
        pool: the examples to assign.
        classes: of these examples, integer [examples].
        column: returns a column of the task's files, by name: one value per example of the pool.

    Raises:
        UserError: if a fold would be empty.
    """
    if config.validation_examples is not None:
        log.info("note: `validation_examples` is ignored with `folds`: every example is validated")
    spec, groups = config.group_by or DEFAULT_GROUPING, np.arange(len(pool))
    if spec != "none":
        groups = catalog.build("group_by", spec).groups(pool, column)
    assert config.folds is not None, "there is a pool only with `folds`"
    seed = (config.data_seed, config.fold_repeat)
    folds = assign_folds(classes, groups, folds=config.folds, seed=seed)
    sizes = np.bincount(folds, minlength=config.folds)
    group_sizes = np.unique(groups, return_counts=True)[1]
    if not sizes.all():
        raise UserError(
            f"folds={config.folds} leaves a fold empty: {group_sizes.max():,} of {len(pool):,} "
            f"examples are in one group by group_by={spec}; use fewer folds or group_by=none."
        )
    _log_folds(config, spec, sizes, group_sizes)
    return folds


def _log_folds(config: Config, spec: str, sizes: np.ndarray, group_sizes: np.ndarray) -> None:
    listed = ", ".join(f"{size:,}" for size in sizes)
    log.info(
        f"fold {config.fold} of {config.folds} (from 0) is held out; examples per fold: {listed}"
    )
    if (several := group_sizes[group_sizes > 1]).size:
        noun = "group" if several.size == 1 else "groups"
        log.info(
            f"group_by={spec}: {several.sum():,} examples are in {several.size:,} {noun}, "
            f"the largest has {several.max():,}; no group is split"
        )


def hold_out_shares(
    labels: np.ndarray, groups: np.ndarray, shares: Sequence[float], *, seed: int
) -> np.ndarray:
    """Return the number of the share that holds each example out, or -1, int64 [examples].

    What is left is divided into folds, of which as many are held out as come closest to the share:
    one of ten for 0.1, seven of twenty for 0.35. So a share is stratified and no group is split;
    see `assign_folds`. A class of which nothing would be left to train on is not held out at all.

    Args:
        labels: integer [examples].
        groups: integer [examples]; examples with the same number stay together.
        shares: of all examples; each above 0, and together below 1.
        seed: decides which examples are held out.

    >>> labels, groups = np.repeat([0, 1], 50), np.arange(100)
    >>> np.unique(hold_out_shares(labels, groups, [0.1, 0.1], seed=0), return_counts=True)[1]
    array([80, 10, 10])
    """
    assigned, left = np.full(len(labels), -1), np.arange(len(labels))
    for number, share in enumerate(shares):
        if not left.size:  # one group holds everything
            break
        of_left = Fraction(share / (1 - sum(shares[:number]))).limit_denominator(_MOST_JOINED)
        joined = max(1, of_left.numerator)
        count = max(joined + 1, round(joined * len(left) / (share * len(labels))))
        fold = assign_folds(labels[left], groups[left], folds=count, seed=(seed, number))
        _, classes = np.unique(labels[left], return_inverse=True)
        counts = np.zeros((count, classes.max() + 1), np.int64)
        np.add.at(counts, (fold, classes), 1)
        held = np.isin(fold, _join(counts, joined, share * len(labels)))
        assigned[left[held]] = number
        left = left[~held]
    for label in np.setdiff1d(labels, labels[assigned == -1]):
        assigned[np.isin(groups, groups[labels == label])] = -1
    return assigned


def _join(counts: np.ndarray, joined: int, size: float) -> list[int]:
    """Return the folds that together come closest to a size and to the classes' part of it.

    Folds differ in size if a group is larger than one, so their number may differ from `joined`.

    Args:
        counts: of the examples, integer [folds, classes].
        joined: the number of folds if they are of one size.
        size: the number of examples that they should have.
    """
    share, sizes = size * counts.sum(axis=0) / counts.sum(), counts.sum(axis=1)
    chosen = [int(np.abs(sizes - size / joined).argmin())]
    while joined > 1 and len(chosen) < np.count_nonzero(sizes) - 1:
        total = sizes[chosen].sum()
        # In whole steps: what single folds lack would add up.
        wanted = min(1.0, (round(total / size * joined) + 1) / joined) * share
        difference = np.square(counts[chosen].sum(axis=0) + counts - wanted).sum(axis=1)
        difference[chosen] = difference[sizes == 0] = np.inf
        best = int(difference.argmin())
        if abs(total + sizes[best] - size) >= abs(total - size):
            break
        chosen.append(best)
    return chosen


def assign_folds(
    labels: np.ndarray, groups: np.ndarray, *, folds: int, seed: int | Sequence[int]
) -> np.ndarray:
    """Return the fold of each example, int64 [examples], counted from 0.

    Groups are assigned one by one, the largest first and in random order among equals. Each goes to
    the fold with the least

        Σ over classes c of  (group's examples of c) · (fold's examples of c) / (all of c)²

    which keeps Σ over folds and classes of (fold's share of c)² low. Ties go to the smallest fold.
    If no group has two examples, the folds differ by one at most in each class.

    scikit-learn's `StratifiedGroupKFold` does the same with another criterion, but was measured
    slower and less even: for 25,000 examples of two classes, a fiftieth of them in groups, 25 s for
    5 folds against 0.6 s here, and class counts that differ by 3 between folds against 1. It also
    refuses data in which every class has fewer examples than there are folds.

    Args:
        labels: integer [examples].
        groups: integer [examples]; examples with the same number stay together.
        folds: the number of folds; positive.
        seed: a seed for NumPy's `default_rng`.

    >>> labels = np.array([0, 0, 0, 0, 1, 1])
    >>> folds = assign_folds(labels, np.array([7, 1, 2, 7, 3, 4]), folds=2, seed=0)
    >>> bool(folds[0] == folds[3]), np.bincount(folds[labels == 1]).tolist()
    (True, [1, 1])
    """
    _, groups, group_sizes = np.unique(groups, return_inverse=True, return_counts=True)
    _, classes, class_sizes = np.unique(labels, return_inverse=True, return_counts=True)
    # Only what a group has: a table of groups and classes could exceed the memory.
    pairs, counts = np.unique(groups * len(class_sizes) + classes, return_counts=True)
    pair_groups, pair_classes = np.divmod(pairs, len(class_sizes))
    bounds = np.searchsorted(pair_groups, np.arange(len(group_sizes) + 1)).tolist()
    weights = counts / class_sizes[pair_classes].astype(float) ** 2
    order = np.random.default_rng(seed).permutation(len(group_sizes))
    order = order[np.argsort(-group_sizes[order], kind="stable")]
    class_counts = np.zeros((len(class_sizes), folds), np.int64)
    fold_sizes = np.zeros(folds, np.int64)
    fold_of = np.zeros(len(group_sizes), np.int64)
    for group in order.tolist():
        own = range(bounds[group], bounds[group + 1])
        terms = {pair_classes[p]: class_counts[pair_classes[p]] * weights[p] for p in own}
        fold = np.lexsort((fold_sizes, _sum(terms, class_counts.shape)))[0]
        for pair in own:
            class_counts[pair_classes[pair], fold] += counts[pair]
        fold_sizes[fold] += group_sizes[group]
        fold_of[group] = fold
    return fold_of[groups]


def _sum(terms: dict[int, np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Return the sum of some classes' terms, rounded as a sum over all classes, float64 [folds].

    Args:
        terms: by class, float64 [folds].
        shape: the numbers of classes and folds.
    """
    if len(terms) < 3:
        return np.asarray(sum(terms.values()))
    # NumPy rounds a longer sum by the positions of its terms.
    spread = np.zeros(shape[::-1])
    spread[:, list(terms)] = np.stack(list(terms.values()), axis=1)
    return spread.sum(axis=1)
