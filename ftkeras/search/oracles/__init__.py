"""Oracles: each decides which settings a search tries next. All are based on KerasTuner's.

An oracle is constructed with `objective` (a KerasTuner objective), `hyperparameters` (the space),
`seed` and, if it allots epochs, `max_epochs`. It saves nothing: the search's ledger records what it
was asked and told, and repeats that to a new oracle when the search is resumed.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

Trial = Any  # keras_tuner.engine.trial.Trial; KerasTuner is optional
# Metrics of a trial that break ties between scores: the lower is better, and the first counts most.
TIES = ("loss", "epochs")


class Oracle(Protocol):
    """The part of KerasTuner's oracles that a search uses.

    Attributes:
        continues: whether a trial may continue from another trial's weights.
        ends: whether the oracle stops by itself, without a maximum number of trials.
        objective: the metric's name and direction.
        trials: all trials by id, in the order in which they started.
        ongoing_trials: the running trials by the name of their worker.
    """

    continues: ClassVar[bool]
    ends: ClassVar[bool]
    objective: Any
    trials: dict[str, Trial]
    ongoing_trials: dict[str, Trial]

    def create_trial(self, tuner_id: str) -> Trial:
        """Return the worker's next trial; its status is STOPPED if there is nothing left to try."""

    def update_trial(self, trial_id: str, metrics: Mapping[str, float]) -> Any:
        """Record a trial's score, under the objective's name, and the metrics named by TIES."""

    def end_trial(self, trial: Trial) -> None:
        """Record that a trial has completed or failed."""
