"""Leave texts out of training that are in test."""

import logging

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.data.groupings.near_duplicates import NearDuplicates

log = logging.getLogger(__name__)


def without_copies(train: Examples, test: Examples) -> Examples:
    """Return train without texts that test has, exactly or nearly, and log how many there were.

    Nearly equal are texts that `NearDuplicates` with its defaults puts into one group with a text
    of test. Only texts are compared, so no answer is read.

    Args:
        train: what is to be trained on.
        test: what must not be.
    """
    is_copy = np.isin(train.digests, test.digests)
    is_near = NearDuplicates().are_near(train, test) & ~is_copy
    copies, near = int(is_copy.sum()), int(is_near.sum())
    line = f"leakage {copies:,} of {len(train):,} texts are in {test.name} and {near:,} nearly so"
    log.info("%s", f"{line}; they are not trained on" if copies or near else line)
    return train.select(~(is_copy | is_near))
