"""Which fold holds an example out: stratified, and no group is parted."""

import logging
from collections.abc import Callable

import numpy as np

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.errors import UserError

log = logging.getLogger(__name__)

# Where --group_by is not given.
DEFAULT_GROUPING = "near_duplicates"


def build_folds(config: Config, pool: Examples, column: Callable) -> np.ndarray:
    """The fold of each example, int64 [examples], as --folds, --group_by and the seeds say.

    Args:
        config: the run's.
        pool: what is to be cut into folds.
        column: name -> values of that column of the task's files, one an example of the pool.

    Raises:
        UserError: a fold would stay empty.
    """
    if config.validation_examples is not None:
        log.info(
            "note: `validation_examples` has no say with `folds`, where all are validated once"
        )
    spec, groups = config.group_by or DEFAULT_GROUPING, np.arange(len(pool))
    if spec != "none":
        groups = catalog.build("group_by", spec).groups(pool, column)
    seed = (config.data_seed, config.fold_repeat)
    folds = assign_folds(pool.labels, groups, folds=config.folds, seed=seed)
    sizes = np.bincount(folds, minlength=config.folds)
    together = np.unique(groups, return_counts=True)[1]
    if not sizes.all():
        raise UserError(
            f"folds={config.folds} leaves a fold empty: of {len(pool):,} examples "
            f"{together.max():,} stand together by group_by={spec}; fewer folds would do, or "
            "group_by=none."
        )
    listed = ", ".join(f"{size:,}" for size in sizes)
    log.info(
        f"fold {config.fold} of {config.folds} (from 0) is held out; examples a fold: {listed}"
    )
    if (several := together[together > 1]).size:
        log.info(
            f"group_by={spec}: {several.sum():,} examples stand in {several.size:,} groups, "
            f"the largest of {several.max():,}; no group is parted"
        )
    return folds


def assign_folds(labels: np.ndarray, groups: np.ndarray, *, folds: int, seed) -> np.ndarray:
    """The fold of each example, int64 [examples], from 0.

    Groups go one by one, the largest first and in random order among equals, into the fold whose
    class shares they disturb least: the one with the least

        Σ over classes c of  (group's examples of c) · (fold's examples of c) / (all of c)²

    which keeps Σ over folds and classes of (fold's share of c)² low; of folds that are alike in
    that, the smallest. Where no group has two examples, folds differ by one at most in each class.

    Args:
        labels: integer [examples].
        groups: integer [examples]; those of one number stay together.
        folds: how many; positive.
        seed: what NumPy's `default_rng` takes.

    >>> labels = np.array([0, 0, 0, 0, 1, 1])
    >>> folds = assign_folds(labels, np.array([7, 1, 2, 7, 3, 4]), folds=2, seed=0)
    >>> bool(folds[0] == folds[3]), np.bincount(folds[labels == 1]).tolist()
    (True, [1, 1])
    """
    _, groups = np.unique(groups, return_inverse=True)
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    counts = np.zeros((groups.max() + 1, len(sizes)), np.int64)
    np.add.at(counts, (groups, classes), 1)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    held, fold_of = np.zeros((folds, len(sizes)), np.int64), np.zeros(len(counts), np.int64)
    weights = counts / sizes.astype(float) ** 2
    for group in order:
        disturbance = (held * weights[group]).sum(axis=1)
        fold = np.lexsort((held.sum(axis=1), disturbance))[0]
        held[fold] += counts[group]
        fold_of[group] = fold
    return fold_of[groups]
