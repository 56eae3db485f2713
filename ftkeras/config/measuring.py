"""The configurations of `crossvalidate` and `compare`."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from ftkeras.config import shared_flags
from ftkeras.config.fields import WithPaths, check_at_least, check_not_given, flag
from ftkeras.config.run import Config
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class CrossvalidateConfig(Config):
    """The configuration of `crossvalidate`: a run's, and how many runs to make and how."""

    folds: int = dataclasses.field(
        default=5, metadata=Config.__dataclass_fields__["folds"].metadata
    )
    repeats: int = flag(
        1,
        "Cross-validation",
        "How often to cross-validate, each time with a different division into folds.",
    )
    parallel: int = flag(
        1,
        "Cross-validation",
        "Number of folds to train at the same time, each on its own GPU if there are several.",
    )
    keep_weights: bool = flag(
        False, "Cross-validation", "Keep each fold's weights, for evaluate and export."
    )

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, repeats=1, parallel=1)
        check_not_given(self, "crossvalidate", REFUSED)


# Flags of train that crossvalidate does not take, and why.
REFUSED: Mapping[str, str] = dict.fromkeys(
    ("fold", "fold_repeat"), "it runs all folds; use train to run one"
)


@dataclass(frozen=True, kw_only=True)
class CompareConfig(WithPaths):
    """The configuration of `compare`: the folders of finished runs, and the statistics."""

    folders: tuple[str, ...] = dataclasses.field(default=(), metadata={"path": True})
    split: str = flag("test", "Comparison", "Predictions to compare: test or validation.")
    confidence: float = flag(0.95, "Comparison", "Confidence level of the intervals.")
    resamples: int = flag(10_000, "Comparison", "Number of bootstrap samples.")
    seed: int = flag(0, "Comparison", "Random seed of the bootstrap.")
    disagreements: int = flag(
        10, "Output", "How many of the examples with the largest disagreement to show."
    )
    output: str = flag("comparison", "Output", "Folder for compare.json and curves.png.", path=True)
    debug: bool = shared_flags.debug()

    def __post_init__(self):
        super().__post_init__()
        if len(self.folders) < 2:
            raise UserError(
                "compare needs the folders of two or more finished runs, such as runs/a runs/b. "
                f"Received: {' '.join(self.folders) or 'none'}."
            )
        if self.split not in ("test", "validation"):
            raise UserError(f"`split` must be test or validation. Received: {self.split!r}.")
        if not 0.5 <= self.confidence < 1:
            raise UserError(
                f"`confidence` must be at least 0.5 and below 1. Received: {self.confidence}."
            )
        check_at_least(self, resamples=100, seed=0, disagreements=0)
