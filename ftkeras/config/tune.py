"""The configuration of `tune`."""

from dataclasses import dataclass

from ftkeras.config.fields import check_at_least, check_not_given, check_positive, flag
from ftkeras.config.run import Config
from ftkeras.errors import UserError

# Devlin et al., 2019, appendix A.3: the ranges that work well on all GLUE tasks.
DEFAULT_SEARCH = (
    "batch_size=choice(16, 32)",
    "learning_rate=choice(5e-5, 3e-5, 2e-5)",
    "epochs=choice(2, 3, 4)",
)
# The same learning rates as shares of learning_rate=auto, which is 4e-5 at BERT base's width.
DEFAULT_RATES = (1.25, 0.75, 0.5)
# Used unless the oracle ends by itself.
DEFAULT_TRIALS = 10


@dataclass(frozen=True, kw_only=True)
class TuneConfig(Config):
    """The configuration of `tune`: a run's, what to vary, and how long to search."""

    search: tuple[str, ...] = flag(
        (),
        "Search",
        "What to vary: flag=range, or flag.key=range for a key of a part. Ranges are choice(full, "
        "layerwise(decay=uniform(0.8, 0.95))), uniform(0.1, 0.3), log(1e-5, 1e-4) and int(1, 4). "
        "Repeatable. Default: the ranges published for BERT (flags/tune.cfg), with learning rates "
        "scaled like learning_rate=auto.",
    )
    oracle: str = flag("random", "Search", "How the next trial is chosen: {oracle}.")
    max_trials: int | None = flag(
        None,
        "Search",
        f"Maximum number of trials, over all sessions. Default: {DEFAULT_TRIALS}; grid and "
        "hyperband end by themselves.",
        free=True,
    )
    max_hours: float | None = flag(
        None, "Search", "Start no trial after this many hours, over all sessions.", free=True
    )
    executions_per_trial: int = flag(
        1,
        "Search",
        "Number of runs per trial, with `seed` and the seeds after it. Their mean is the trial's "
        "score.",
    )
    retrain: bool = flag(
        False,
        "Search",
        "Finally, train with the best settings on train and validation together, evaluate on test, "
        "and export.",
        free=True,
    )
    search_dir: str | None = flag(
        None,
        "Search",
        "Folder of the search. To resume an interrupted search, repeat the command with its "
        "folder. Default: runs/<name>/search-<time>.",
        free=True,
        path=True,
    )

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, max_trials=1, executions_per_trial=1)
        check_positive(self, "max_hours")
        if self.search_dir == "":
            raise UserError("`search_dir` must name a folder. Received: ''.")
        check_not_given(self, "tune", REFUSED)


# Flags of train that tune does not take, and why.
REFUSED = {
    "private": "the choice among trials would not be accounted for",
    "run_dir": "`search_dir` is the search's folder, and each trial has a folder in it",
    "train_on_validation": "trials are compared on validation; `retrain` trains on it at the end",
    "fold": "the score of a trial is the mean over all `folds`",
    "fold_repeat": "the score of a trial is the mean over all `folds` of one division",
}
