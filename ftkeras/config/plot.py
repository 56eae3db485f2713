"""The configuration of `plot`."""

from dataclasses import dataclass

from ftkeras.config.fields import check_at_least, flag
from ftkeras.config.own_data import KEYS
from ftkeras.config.run import Config


@dataclass(frozen=True, kw_only=True)
class PlotConfig(Config):
    """The configuration of `plot`: a run's, and what to plot."""

    steps: int | None = flag(
        None,
        "Plot",
        "Number of updates of the run. Default: from `epochs`, `batch_size` and the number of "
        "examples.",
    )
    output: str | None = flag(
        None,
        "Plot",
        "The PNG file. Default: schedule.png in `run_dir` or in the current folder.",
        path=True,
    )

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, steps=1)


# Flags of train that decide the number of updates, or their learning rates.
USED = {
    *KEYS,
    *("task", "data_dir", "train_examples", "test_share", "validation_share", "folds"),
    *("encoder", "few_shot", "epochs", "batch_size", "batch_tokens", "oversample"),
    *("learning_rate", "schedule", "warmup", "optimizer", "policy", "run_dir", "debug"),
}
