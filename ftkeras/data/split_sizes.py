"""The sizes of splits: shares that are held out, and limits."""

import logging

import numpy as np

from ftkeras.config.run import Config
from ftkeras.data import sampling
from ftkeras.data.examples import Examples
from ftkeras.errors import UserError
from ftkeras.problems import Problem

log = logging.getLogger(__name__)


class SplitSizes:
    """Choose as many examples of a split as the configuration says, each class in proportion.

    Args:
        config: the run's.
        problem: knows the class, or another stratum, of each example.
    """

    def __init__(self, config: Config, problem: Problem):
        self._config, self._problem = config, problem

    def hold_out(self, train: Examples) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of train to train on, and those to validate on."""
        share = self._config.validation_share
        size, classes = round(share * len(train)), len(np.unique(self.strata(train)))
        setting = f"validation_share={share}"
        self._require_one_of_each_class(setting, size, train)
        if len(train) - size < classes:
            raise UserError(
                f"{setting} leaves {len(train) - size} of {len(train)} examples to train on, but "
                f"must leave at least {classes}, one of each class; decrease it or add examples."
            )
        return sampling.hold_out(self.strata(train), size, seed=self._config.data_seed)

    def shrink(self, validation: Examples, train: Examples) -> Examples:
        """Return as large a sample of held-out examples as `train_examples` selects of train."""
        limit = self._config.train_examples
        if limit is None or limit >= len(train) or self._config.validation_examples is not None:
            return validation
        strata = self.strata(validation)
        size = max(round(len(validation) * limit / len(train)), len(np.unique(strata)))
        log.info(
            f"validation: {size:,} of {len(validation):,} held-out examples, in proportion to "
            f"train_examples={limit}; `validation_examples` sets another number"
        )
        chosen = sampling.stratified_sample(strata, size, seed=self._config.data_seed)
        return validation.select(chosen)

    def limit(self, examples: Examples, split: str) -> Examples:
        """Return a stratified sample of as many examples as the configuration allows a split."""
        limits = {
            "train": self._config.train_examples,
            "validation": self._config.validation_examples,
            "test": self._config.test_examples,
        }
        size = limits[split]
        if size is None or size >= len(examples):
            return examples
        self._require_one_of_each_class(f"{split}_examples={size}", size, examples)
        strata, seed = self.strata(examples), self._config.data_seed
        return examples.select(sampling.stratified_sample(strata, size, seed=seed))

    def _require_one_of_each_class(self, setting: str, size: int, examples: Examples) -> None:
        classes = len(np.unique(self.strata(examples)))
        if size < classes:
            raise UserError(
                f"{setting} selects {size} of {len(examples)} examples, but must select at least "
                f"{classes}, one of each class; increase it or add examples."
            )

    def strata(self, examples: Examples) -> np.ndarray:
        """Return the class of each example, integer [examples]; 0 if there are no classes."""
        strata = self._problem.stratum(examples.targets)
        return np.zeros(len(examples), np.int64) if strata is None else strata
