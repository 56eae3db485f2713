"""The results of trials, each in a file of its own."""

import dataclasses
import json
import pathlib
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ftkeras.problems import rank_key
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout
from ftkeras.support import files

COMPLETED, FAILED, PRUNED = "completed", "failed", "pruned"


@dataclass(frozen=True)
class Result:
    """A trial that has ended.

    Attributes:
        trial: its id.
        values: the value of each parameter of the space that exists in this trial.
        settings: the resulting value of each searched flag.
        status: completed, failed, or pruned (stopped after its first folds).
        scores: validation objective of each fold, or of each run without folds.
        reason: why the trial failed or was pruned, in one line.
        seconds: training time of all runs and epochs.
        best_epochs: the best epoch of each run.
        losses: validation loss of each score, which breaks ties.
        last_epoch: the last epoch trained, if the oracle limits the epochs of a trial.
        continues: the trial whose weights it started from.
    """

    trial: str
    values: dict
    settings: dict
    status: str
    scores: tuple[float, ...] = ()
    reason: str | None = None
    seconds: float = 0.0
    best_epochs: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()
    last_epoch: int | None = None
    continues: str | None = None

    @property
    def score(self) -> float | None:
        """Mean of the scores; None without any."""
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def loss(self) -> float:
        """Mean of the losses; 0 without any."""
        return _mean(self.losses)

    @property
    def epochs(self) -> float:
        """Mean of the best epochs; 0 without any."""
        return _mean(self.best_epochs)

    @property
    def sd(self) -> float | None:
        """Standard deviation of the scores, with n − 1; None for fewer than two."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None


def write(result: Result, folder: pathlib.Path) -> None:
    """Write trial.json atomically."""
    files.write_json(folder / layout.TRIAL_RESULT, dataclasses.asdict(result))


def read(folder: pathlib.Path) -> Result | None:
    """Return the result in a trial's folder; None if the trial has not ended."""
    try:
        fields = json.loads((folder / layout.TRIAL_RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    tuples = {name: tuple(fields.get(name, ())) for name in ("scores", "best_epochs", "losses")}
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in fields["settings"].items()}
    return Result(**{**fields, **tuples, "settings": settings})


def rank(results: Iterable[Result], objective: str) -> list[Result]:
    """Sort completed trials before pruned and failed ones, each group by score.

    Ties are broken by the lower loss, then by fewer epochs, then by id.
    """
    order = {COMPLETED: 0, PRUNED: 1, FAILED: 2}

    def key(result: Result) -> tuple:
        by_score = rank_key(objective, result.score, result.loss, result.epochs)
        return order[result.status], *by_score, result.trial

    return sorted(results, key=key)


def best(results: Iterable[Result], objective: str) -> Result | None:
    """Return the best completed trial; None if there is none."""
    first = next(iter(rank(results, objective)), None)
    return first if first is not None and first.status == COMPLETED else None


def delete_other_weights(folder: pathlib.Path, ended: Iterable[Result], objective: str) -> None:
    """Delete the weights and checkpoints of all trials except the best; metrics stay.

    Args:
        folder: contains a folder for each trial.
        ended: the trials that have ended.
        objective: the metric by which trials are compared.
    """
    winner = best(ended := list(ended), objective)
    for home in (folder / result.trial for result in ended if result is not winner):
        for run_dir in filter(pathlib.Path.is_dir, home.glob("*")):
            run_folder.delete_weights(run_dir)


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0
