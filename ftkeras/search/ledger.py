"""The ledger of a search: which trial started when, which worker has it, and how it ended.

Workers ask the oracle through the ledger, which writes every answer to a journal before the worker
sees it. When a search is resumed, a new oracle is asked the same questions in the same order. It
then has the same state as the old one, including its random numbers, whatever kind it is.
"""

import json
import math
import pathlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.search import folder as folders
from ftkeras.search import results
from ftkeras.search.oracles import TIES, Oracle
from ftkeras.search.results import FAILED, Result
from ftkeras.support import files

# If all of the first trials fail, the cause is not their settings, and the search stops.
FAILURES_TO_STOP = 3
# Events in the journal: a trial starts, moves to another worker, ends.
BEGUN, GIVEN, ENDED = "begun", "given", "ended"


class Ledger:
    """Assigns trials to workers and records their results; safe to call from several threads.

    Args:
        oracle: a new one, which has not been asked anything.
        folder: the search's, locked by this process.
        max_trials: how many trials may start, over all sessions; None for no limit.
        max_seconds: when the last trial may start, over all sessions; None for no limit.
        settings: how many the space has; may be infinity.

    Attributes:
        on_change: called after a trial has started or ended.
        results: of the trials that have ended, by id.
        exhausted: whether the oracle has nothing left to try.
    """

    def __init__(
        self,
        oracle: Oracle,
        folder: pathlib.Path,
        *,
        max_trials: int | None = None,
        max_seconds: float | None = None,
        settings: float = math.inf,
    ):
        self.oracle, self.folder = oracle, folder
        self.max_trials, self.max_seconds, self.settings = max_trials, max_seconds, settings
        self.on_change: Callable[[], None] = lambda: None
        self.results: dict[str, Result] = {}
        self.exhausted = False
        self._lock = threading.RLock()
        self._session_start, self._earlier_seconds = time.monotonic(), 0.0
        self._dismissed: dict[str, bool] = {}  # by worker: whether its last answer was "stop"
        self._replay_journal()

    @property
    def seconds(self) -> float:
        """Total seconds over all sessions."""
        return self._earlier_seconds + time.monotonic() - self._session_start

    @property
    def running(self) -> dict[str, str]:
        """The trials that have started and not ended, with their workers."""
        return {trial.trial_id: name for name, trial in self.oracle.ongoing_trials.items()}

    @property
    def started(self) -> int:
        """Number of trials that have started."""
        return len(self.oracle.trials)

    @property
    def most_trials(self) -> int | None:
        """The most trials that there can be; None if it is not known."""
        of_space = math.inf if self.oracle.continues else self.settings
        most = min(of_space, math.inf if self.max_trials is None else self.max_trials)
        return None if most == math.inf else int(most)

    @property
    def failure(self) -> str | None:
        """The last trial's error if all trials that have ended failed; None if none has ended."""
        ended = list(self.results.values())
        if not ended or any(result.status != FAILED for result in ended):
            return None
        return ended[-1].reason

    def create_trial(self, tuner_id: str) -> Trial:
        """Return the worker's current trial, or else an abandoned one, or else a new one.

        Args:
            tuner_id: the worker's name; the argument's name is KerasTuner's.

        Returns:
            The trial. Its status is IDLE if the worker should ask again later, and STOPPED if there
            is nothing left to do.
        """
        with self._lock:
            self._dismissed[tuner_id] = False
            trial = self.oracle.ongoing_trials.get(tuner_id) or self._adopt_abandoned(tuner_id)
            if trial is None:
                trial = self._start_trial(tuner_id)
            if trial.status == TrialStatus.STOPPED and self.oracle.ongoing_trials:
                trial.status = TrialStatus.IDLE  # a running trial may yet be abandoned
            self._dismissed[tuner_id] = trial.status == TrialStatus.STOPPED
            self.record_time()
            return _without_space(trial)

    def end_trial(self, trial: Trial) -> None:
        """Record the result in the trial's folder; if that was done before, do nothing."""
        with self._lock:
            trial_id = trial.trial_id
            if trial_id in self.results:
                return
            result = results.read(self.folder / layout.TRIALS / trial_id)
            if result is None:
                reason = f"its worker left no {layout.TRIAL_RESULT}"
                result = Result(trial_id, {}, {}, FAILED, reason=reason)
            self._write(ENDED, trial_id, status=result.status, score=result.score)
            self._end(result)
            self.record_time()
            self.on_change()

    def is_over(self) -> bool:
        """Return whether all trials have ended and every live worker has been told to stop."""
        with self._lock:
            return (
                not self.oracle.ongoing_trials
                and all(
                    dismissed or not folders.is_alive(self.folder, name)
                    for name, dismissed in self._dismissed.items()
                )
                and any(self._dismissed.values())
            )

    def record_time(self) -> None:
        """Write the search's total seconds to its folder."""
        files.write_text(self.folder / layout.CLOCK, f"{self.seconds:.1f}\n")

    def _adopt_abandoned(self, worker: str) -> Trial | None:
        """Move the trial of a dead worker to this one."""
        for owner, trial in self.oracle.ongoing_trials.items():
            if not folders.is_alive(self.folder, owner):
                self._write(GIVEN, trial.trial_id, worker=worker)
                self._move(trial, worker)
                return trial
        return None

    def _move(self, trial: Trial, worker: str) -> None:
        self.oracle.ongoing_trials.pop(self.running[trial.trial_id])
        self.oracle.ongoing_trials[worker] = trial

    def _start_trial(self, worker: str) -> Trial:
        if not self._may_start():
            return Trial(keras_tuner.HyperParameters(), status=TrialStatus.STOPPED)
        trial = self.oracle.create_trial(worker)
        self.exhausted = trial.status == TrialStatus.STOPPED
        if trial.status == TrialStatus.RUNNING:
            values = trial.hyperparameters.values
            self._write(BEGUN, trial.trial_id, worker=worker, values=values)
            self.on_change()
        return trial

    def _may_start(self) -> bool:
        return (
            (self.max_trials is None or self.started < self.max_trials)
            and (self.max_seconds is None or self.seconds < self.max_seconds)
            and (len(self.results) < FAILURES_TO_STOP or self.failure is None)
        )

    def _end(self, result: Result) -> None:
        trial = self.oracle.trials[result.trial]
        if result.status == FAILED or result.score is None:
            trial.status = TrialStatus.FAILED
        else:
            metrics = {name: getattr(result, name) for name in TIES}
            metrics[self.oracle.objective.name] = result.score
            self.oracle.update_trial(trial.trial_id, metrics)
            trial.status = TrialStatus.COMPLETED
        self.results[result.trial] = result
        self.oracle.end_trial(trial)

    def _write(self, event: str, trial: str, **details: Any) -> None:
        line = json.dumps({"event": event, "trial": trial, **details})
        with (self.folder / layout.JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(line + "\n")

    def _replay_journal(self) -> None:
        clock = self.folder / layout.CLOCK
        self._earlier_seconds = float(clock.read_text()) if clock.exists() else 0.0
        path = self.folder / layout.JOURNAL
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        complete, _, partial = text.rpartition("\n")
        if partial:  # a killed process was writing this line, and no worker saw its answer
            files.write_text(path, complete + "\n" if complete else "")
        for line in filter(None, complete.split("\n")):
            self._replay(json.loads(line))

    def _replay(self, line: Mapping[str, Any]) -> None:
        trial_id = line["trial"]
        if line["event"] == BEGUN:
            trial = self.oracle.create_trial(line["worker"])
            if trial.trial_id != trial_id:
                raise UserError(
                    f"search_dir={self.folder}: according to {layout.JOURNAL} trial {trial_id} "
                    "started, but `oracle` does not start it now; start again with `restart`."
                )
            # A Gaussian process may suggest other values on a machine that rounds differently.
            trial.hyperparameters.values = line["values"]
        elif line["event"] == GIVEN:
            self._move(self.oracle.trials[trial_id], line["worker"])
        else:
            result = results.read(self.folder / layout.TRIALS / trial_id)
            if result is None:
                raise UserError(f"search_dir={self.folder} lacks the result of trial {trial_id}.")
            self._end(result)


def _without_space(trial: Trial) -> Trial:
    """Return the trial without its space, which KerasTuner prints when it sends it to a worker."""
    values = keras_tuner.HyperParameters()
    values.values = dict(trial.hyperparameters.values)
    return Trial(values, trial_id=trial.trial_id, status=trial.status)
