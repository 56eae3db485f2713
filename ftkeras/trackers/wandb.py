"""Weights & Biases."""

import importlib
import pathlib
from collections.abc import Mapping
from typing import Any

from ftkeras.trackers._base import FAILED, FINISHED, Tracker

# The axis of all charts. Wandb's own steps can't go back, as they do when a run is resumed.
STEP = "step"


class Wandb(Tracker):
    """Record the run in Weights & Biases. First run `wandb login`, or set WANDB_API_KEY.

    With WANDB_MODE=offline, records are only written to the run's folder; upload them later with
    `wandb sync`.

    Args:
        run_dir: the run's folder; its name is that of the run.
        name: the default for `project`.
        project: the project; None for the name of the task or file.
        entity: a user or a team; None for wandb's default.
        every: number of optimizer updates between two records of training; positive.

    Raises:
        ValueError: if `every` is not positive.
    """

    package = "wandb"

    def __init__(
        self,
        run_dir: pathlib.Path,
        name: str,
        *,
        project: str | None = None,
        entity: str | None = None,
        every: int = 10,
    ):
        super().__init__(run_dir, name, every=every)
        self.project, self.entity = project or name, entity
        self._run: Any = None

    def start(self, flags: Mapping[str, str], *, resume: str | None, step: int) -> str:
        wandb = importlib.import_module("wandb")
        self._run = wandb.init(
            project=self.project,
            entity=self.entity,
            name=self.run_dir.name,
            id=resume,
            resume="allow" if resume else None,
            dir=str(self.run_dir),
            reinit="create_new",  # a process may train several runs, one after the other
            settings=wandb.Settings(console="off"),
        )
        self._run.config.update(dict(flags), allow_val_change=True)
        self._run.define_metric(STEP, hidden=True)
        self._run.define_metric("*", step_metric=STEP)
        return self._run.id

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        self._run.log({STEP: step, **metrics})

    def close(self, status: str) -> None:
        self._run.finish(exit_code=0 if status == FINISHED else 1 if status == FAILED else 130)
