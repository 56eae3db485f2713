"""What came of a trial, in a file of its own; and the weights of those that nobody needs, gone."""

import dataclasses
import json
import math
import pathlib
import shutil
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from ftkeras.runs import layout
from ftkeras.support import files

COMPLETED, FAILED, PRUNED = "completed", "failed", "pruned"


@dataclass(frozen=True)
class Result:
    """A trial that has ended.

    Attributes:
        trial: its id.
        values: of each parameter of the space that it has.
        settings: what they say of each flag that is searched.
        status: completed, failed, or pruned where its first folds were hopeless.
        scores: of each fold, or where there are none each run; the objective on validation.
        reason: why it failed or was pruned, in one line.
        seconds: of training, all runs and all epochs.
        best_epochs: of each run.
        last_epoch: where it was cut short, the last epoch it trained.
        continues: the trial whose weights it began from.
    """

    trial: str
    values: dict
    settings: dict
    status: str
    scores: tuple[float, ...] = ()
    reason: str | None = None
    seconds: float = 0.0
    best_epochs: tuple[int, ...] = ()
    last_epoch: int | None = None
    continues: str | None = None

    @property
    def score(self) -> float | None:
        """Mean of the scores; None where there are none."""
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def sd(self) -> float | None:
        """Their standard deviation, with n − 1; None of a single one."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None


def write(result: Result, folder: pathlib.Path) -> None:
    """Writes trial.json whole."""
    files.write_json(folder / layout.TRIAL_RESULT, dataclasses.asdict(result))


def read(folder: pathlib.Path) -> Result | None:
    """What trial.json says; None where there is none."""
    try:
        told = json.loads((folder / layout.TRIAL_RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    tuples = {"scores": tuple(told["scores"]), "best_epochs": tuple(told["best_epochs"])}
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in told["settings"].items()}
    return Result(**{**told, **tuples, "settings": settings})


def ranked(results: Iterable[Result], objective: str) -> list[Result]:
    """The best first, of equals the earlier; then those pruned, then those that failed."""
    order = {COMPLETED: 0, PRUNED: 1, FAILED: 2}
    sign = 1 if objective == "loss" else -1

    def key(result: Result):
        score = math.inf if result.score is None else sign * result.score
        return order[result.status], score, result.trial

    return sorted(results, key=key)


def best(results: Iterable[Result], objective: str) -> Result | None:
    """The best of those completed; None where there is none."""
    first = next(iter(ranked(results, objective)), None)
    return first if first is not None and first.status == COMPLETED else None


def keep_weights_of_best(folder: pathlib.Path, ended: Iterable[Result], objective: str) -> None:
    """Removes the weights and checkpoints of all trials but the best; what they measured stays."""
    first = best(ended := list(ended), objective)
    for home in (folder / result.trial for result in ended if result is not first):
        for path in home.glob(f"*/{layout.WEIGHTS}"):
            path.unlink()
        for path in home.glob(f"*/{layout.CHECKPOINTS}"):
            shutil.rmtree(path)
