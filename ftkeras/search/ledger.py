"""The ledger of a search: which trial began when, who has it, and how it ended.

An oracle is asked and told here, and every answer is written down before anyone hears of it. A
search that is gone on with asks a new oracle all of it again, in the same order: it then knows what
the old one knew, random states included, whatever kind it is.
"""

import json
import pathlib
import threading
import time
from collections.abc import Callable

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.search import folder as folders
from ftkeras.search import results
from ftkeras.search.results import FAILED, Result
from ftkeras.support import files

# Where so many trials failed and none before, the fault is not the settings'.
FAILURES_TO_STOP = 3
BEGUN, GIVEN, ENDED = "begun", "given", "ended"


class Ledger:
    """An oracle as its workers see it; they may call from many threads.

    Args:
        oracle: a new one.
        folder: the search's, held by this process.
        max_trials: to begin at most, those of earlier sessions counted; None for no limit.
        max_seconds: after which no trial begins, earlier sessions counted; None for no limit.

    Attributes:
        on_change: is called after a trial has begun or ended.
        results: of the trials that have ended, by id.
        exhausted: whether the oracle knows nothing more to try.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        folder: pathlib.Path,
        *,
        max_trials: int | None = None,
        max_seconds: float | None = None,
    ):
        self.oracle, self.folder = oracle, folder
        self.max_trials, self.max_seconds = max_trials, max_seconds
        self.on_change: Callable[[], None] = lambda: None
        self.results: dict[str, Result] = {}
        self.exhausted = False
        self._lock = threading.RLock()
        self._since, self._before = time.monotonic(), 0.0
        self._dismissed: dict[str, bool] = {}
        self._go_through_journal()

    @property
    def seconds(self) -> float:
        """Of all sessions."""
        return self._before + time.monotonic() - self._since

    @property
    def running(self) -> dict[str, str]:
        """The trials that have begun and not ended: trial to worker."""
        return {trial.trial_id: who for who, trial in self.oracle.ongoing_trials.items()}

    @property
    def begun(self) -> int:
        """How many trials have begun."""
        return len(self.oracle.trials)

    @property
    def failure(self) -> str | None:
        """Why the search has no chance; None where it has."""
        if len(self.results) < FAILURES_TO_STOP:
            return None
        if any(result.status != FAILED for result in self.results.values()):
            return None
        return list(self.results.values())[-1].reason

    def create_trial(self, tuner_id: str) -> Trial:
        """The trial that this worker is to run: the one it has, one left behind, or a new one."""
        with self._lock:
            self._dismissed[tuner_id] = False
            trial = self.oracle.ongoing_trials.get(tuner_id) or self._left_behind(tuner_id)
            if trial is None:
                trial = self._new(tuner_id)
            if trial.status == TrialStatus.STOPPED and self.oracle.ongoing_trials:
                trial.status = TrialStatus.IDLE  # whoever has one may yet leave it behind
            self._dismissed[tuner_id] = trial.status == TrialStatus.STOPPED
            self.keep_time()
            return _carried(trial)

    def end_trial(self, trial: Trial) -> None:
        """Takes in what the worker left in the trial's folder; a second time changes nothing."""
        with self._lock:
            number = trial.trial_id
            if number in self.results:
                return
            result = results.read(self.folder / layout.TRIALS / number)
            if result is None:
                reason = f"its worker left no {layout.TRIAL_RESULT}"
                result = Result(number, {}, {}, FAILED, reason=reason)
            self._note(ENDED, number, status=result.status, score=result.score)
            self._end(result)
            self.keep_time()
            self.on_change()

    def is_over(self) -> bool:
        """Whether nothing is to be done any more, and every worker that lives was told."""
        with self._lock:
            return (
                not self.oracle.ongoing_trials
                and all(
                    dismissed or not folders.lives(self.folder, who)
                    for who, dismissed in self._dismissed.items()
                )
                and any(self._dismissed.values())
            )

    def keep_time(self) -> None:
        """Writes down how long the search has taken."""
        files.write_text(self.folder / layout.CLOCK, f"{self.seconds:.1f}\n")

    def _left_behind(self, tuner_id: str) -> Trial | None:
        """The trial of a worker that is no more, given to this one."""
        for who, trial in self.oracle.ongoing_trials.items():
            if not folders.lives(self.folder, who):
                self._note(GIVEN, trial.trial_id, worker=tuner_id)
                self._give(trial, tuner_id)
                return trial
        return None

    def _give(self, trial: Trial, tuner_id: str) -> None:
        holders = {t.trial_id: who for who, t in self.oracle.ongoing_trials.items()}
        self.oracle.ongoing_trials.pop(holders[trial.trial_id])
        self.oracle.ongoing_trials[tuner_id] = trial

    def _new(self, tuner_id: str) -> Trial:
        if not self._may_begin():
            return Trial(keras_tuner.HyperParameters(), status=TrialStatus.STOPPED)
        trial = self.oracle.create_trial(tuner_id)
        self.exhausted = trial.status == TrialStatus.STOPPED
        if trial.status == TrialStatus.RUNNING:
            values = trial.hyperparameters.values
            self._note(BEGUN, trial.trial_id, worker=tuner_id, values=values)
            self.on_change()
        return trial

    def _may_begin(self) -> bool:
        return (
            (self.max_trials is None or self.begun < self.max_trials)
            and (self.max_seconds is None or self.seconds < self.max_seconds)
            and self.failure is None
        )

    def _end(self, result: Result) -> None:
        trial = self.oracle.trials[result.trial]
        if result.status == FAILED:
            trial.status = TrialStatus.FAILED
        else:
            self.oracle.update_trial(trial.trial_id, {self.oracle.objective.name: result.score})
            trial.status = TrialStatus.COMPLETED
        self.results[result.trial] = result
        self.oracle.end_trial(trial)

    def _note(self, event: str, trial: str, **told) -> None:
        line = json.dumps({"event": event, "trial": trial, **told})
        with (self.folder / layout.JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(line + "\n")

    def _go_through_journal(self) -> None:
        clock = self.folder / layout.CLOCK
        self._before = float(clock.read_text()) if clock.exists() else 0.0
        path = self.folder / layout.JOURNAL
        whole, _, cut = (path.read_text(encoding="utf-8") if path.exists() else "").rpartition("\n")
        if cut:  # what a killed process was writing, and nobody heard of
            files.write_text(path, whole + "\n" if whole else "")
        for line in whole.splitlines():
            self._again(json.loads(line))

    def _again(self, line: dict) -> None:
        """Has the oracle go through what it was asked or told before."""
        number = line["trial"]
        if line["event"] == BEGUN:
            trial = self.oracle.create_trial(line["worker"])
            if trial.trial_id != number:
                raise UserError(
                    f"search_dir={self.folder}: {layout.JOURNAL} says that trial {number} began,"
                    " but `oracle` would not begin it; begin anew with `restart`."
                )
            # Another machine's rounding may have had a Gaussian process suggest another.
            trial.hyperparameters.values = line["values"]
        elif line["event"] == GIVEN:
            self._give(self.oracle.trials[number], line["worker"])
        else:
            result = results.read(self.folder / layout.TRIALS / number)
            if result is None:
                raise UserError(f"search_dir={self.folder} lacks what came of trial {number}.")
            self._end(result)


def _carried(trial: Trial) -> Trial:
    """The trial without its space, which KerasTuner would print when it sends it to a worker."""
    values = keras_tuner.HyperParameters()
    values.values = dict(trial.hyperparameters.values)
    return Trial(values, trial_id=trial.trial_id, status=trial.status)
