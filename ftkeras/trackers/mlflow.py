"""MLflow."""

import importlib
import pathlib
import time
from collections.abc import Mapping
from typing import Any

from ftkeras.trackers._base import FAILED, FINISHED, INTERRUPTED, Tracker

# MLflow accepts so many parameters in a request, and so long ones.
BATCH, LONGEST = 100, 6000
STATUS = {FINISHED: "FINISHED", INTERRUPTED: "KILLED", FAILED: "FAILED"}


class Mlflow(Tracker):
    """Record the run in MLflow, on the server or in the folder that MLFLOW_TRACKING_URI names.

    Args:
        run_dir: the run's folder; its name is that of the run.
        name: the default for `experiment`.
        experiment: the experiment, which is created if it does not exist; None for the name of the
            task or file.
        uri: the server; None for MLflow's own setting.
        every: number of optimizer updates between two records of training; positive.

    Raises:
        ValueError: if `every` is not positive.
    """

    package = "mlflow"

    def __init__(
        self,
        run_dir: pathlib.Path,
        name: str,
        *,
        experiment: str | None = None,
        uri: str | None = None,
        every: int = 10,
    ):
        super().__init__(run_dir, name, every=every)
        self.experiment, self.uri = experiment or name, uri
        self._mlflow: Any = None
        self._client: Any = None
        self._run_id = ""

    def start(self, flags: Mapping[str, str], *, resume: str | None, step: int) -> str:
        self._mlflow = importlib.import_module("mlflow")
        self._client = self._mlflow.MlflowClient(tracking_uri=self.uri)
        if resume is not None:
            self._run_id = resume
            self._client.update_run(resume, status="RUNNING")
            return resume
        experiment = self._client.get_experiment_by_name(self.experiment)
        experiment_id = (
            experiment.experiment_id
            if experiment is not None
            else self._client.create_experiment(self.experiment)
        )
        created = self._client.create_run(experiment_id, run_name=self.run_dir.name)
        self._run_id = created.info.run_id
        # A parameter can't be changed, so a resumed run keeps those it started with.
        entity = self._mlflow.entities.Param
        params = [entity(name, value[:LONGEST]) for name, value in flags.items()]
        for first in range(0, len(params), BATCH):
            self._client.log_batch(self._run_id, params=params[first : first + BATCH])
        return self._run_id

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        entity, now = self._mlflow.entities.Metric, int(1000 * time.time())
        entities = [entity(name, value, now, step) for name, value in metrics.items()]
        self._client.log_batch(self._run_id, metrics=entities)

    def close(self, status: str) -> None:
        self._client.set_terminated(self._run_id, status=STATUS[status])
