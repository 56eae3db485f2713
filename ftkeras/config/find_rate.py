"""The configuration of `find_rate`."""

import math
from dataclasses import dataclass

from ftkeras.config.fields import check_at_least, check_not_given, flag
from ftkeras.config.run import Config
from ftkeras.errors import UserError


@dataclass(frozen=True, kw_only=True)
class FindRateConfig(Config):
    """The configuration of `find_rate`: a run's, and the range of learning rates."""

    min_rate: float = flag(1e-6, "Range test", "Learning rate of the first update.")
    max_rate: float = flag(1e-2, "Range test", "Learning rate of the last update.")
    steps: int = flag(
        100, "Range test", "Number of updates from the lowest to the highest learning rate."
    )

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.min_rate < self.max_rate < math.inf:
            raise UserError(
                "`min_rate` must be positive and below `max_rate`, which must be finite. "
                f"Received: {self.min_rate} and {self.max_rate}."
            )
        check_at_least(self, steps=10)
        check_not_given(self, "find_rate", REFUSED)


# Flags of train that find_rate does not take, and why.
REFUSED = {"private": "it trains on the examples without noise"}
# Flags of train that have no effect on a range test: its learning rates rise once, and nothing is
# validated or kept.
UNUSED = {
    *("learning_rate", "schedule", "warmup", "epochs", "last_epoch", "pretrain_epochs", "average"),
    *("self_training", "objective", "early_stopping", "evaluate_every", "checkpoint_every", "keep"),
    *("keep_state", "restart", "name", "export", "export_dir", "force", "test", "calibrate"),
    *("report", "track", "tensorboard"),
}
