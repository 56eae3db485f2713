"""Evaluate a run on other data than its own."""

import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Iterator

from ftkeras.config import flagfile, own_data
from ftkeras.config.run import Config
from ftkeras.data.splits import Splits, open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, evaluation, optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import inputs, layout, metrics
from ftkeras.runs.naming import run_name
from ftkeras.support import files
from ftkeras.training import weights

log = logging.getLogger(__name__)


# Groups of settings that decide on which tokens a run is evaluated.
GROUPS = ("Data", "Model")
_INPUTS = {False: "single texts", True: "pairs of texts"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """An evaluation's configuration, and the name of its files.

    Attributes:
        config: the configuration, whose task names only what is to be read.
        name: what the files are called after; None for those of the run itself.
        has_own_task: whether the task is the run's, so that its splits are evaluated.
    """

    config: Config
    name: str | None
    has_own_task: bool


def plan(config: Config, run_dir: pathlib.Path) -> Plan:
    """Return the plan of an evaluation.

    Raises:
        UserError: if what the run recorded can't be read.
    """
    before = flagfile.read(run_dir / layout.SETTINGS, Config)
    fields = [f for f in dataclasses.fields(Config) if f.metadata["group"] in GROUPS]
    # The head is the run's, which may be named although the run has recorded none, the default.
    decisive = [f.name for f in fields if not f.metadata["free"] and f.name != "head"] + ["name"]
    if all(getattr(config, name) == getattr(before, name) for name in decisive):
        return Plan(config, None, has_own_task=True)
    if config.task == before.task:
        return Plan(config, run_name(config), has_own_task=True)
    task = own_data.evaluation_task(config.task, before.task, inputs.read(run_dir))
    config = dataclasses.replace(config, task=task)
    # The run's name is that of its own data.
    own_name = config if config.name != before.name else dataclasses.replace(config, name=None)
    return Plan(config, run_name(own_name), has_own_task=False)


@contextlib.contextmanager
def reopen(plan: Plan, run_dir: pathlib.Path) -> Iterator[tuple[Experiment, Splits]]:
    """Yield a finished run's model with its weights, ready to evaluate, and the plan's splits.

    Args:
        plan: what to evaluate.
        run_dir: the run's folder.

    Raises:
        UserError: if the data can't be read, or has other labels.
    """
    experiment = build.experiment(plan.config, run_dir=run_dir)
    check_task(experiment, run_dir)
    if plan.name is not None and experiment.task.notes:
        log.info("%s", f"data    {', '.join(experiment.task.notes)}")
    weights.load(experiment.model.saved_variables, run_dir / layout.WEIGHTS)
    optimization.compile_to_evaluate(experiment)
    with open_splits(plan.config, experiment.task, experiment.text_layer) as splits:
        yield experiment, splits


def check_task(experiment: Experiment, run_dir: pathlib.Path) -> None:
    """Raise UserError unless the task has the labels and inputs that the run was trained with."""
    task, spec = experiment.task, experiment.config.task
    if task.labels != experiment.problem.names:
        raise UserError(
            f"task={spec}: its labels are now {task.labels}, but the run in {run_dir} was trained "
            f"with {experiment.problem.names}."
        )
    if task.pairs != experiment.pairs:
        raise UserError(
            f"task={spec} has {_INPUTS[task.pairs]}, but the run in {run_dir} was trained on "
            f"{_INPUTS[experiment.pairs]}; name the columns."
        )


def evaluate(
    experiment: Experiment, splits: Splits, run_dir: pathlib.Path, plan: Plan
) -> tuple[dict, pathlib.Path]:
    """Write metrics-<name>.json and predictions-<name>.jsonl into the run's folder.

    Args:
        experiment: with the weights to evaluate, compiled with its loss.
        splits: of the plan's task.
        run_dir: the run's folder, in which the chief worker writes.
        plan: with a name.

    Returns:
        What the file of metrics has, and its path.

    Raises:
        UserError: the model's logits are not finite.
    """
    assert plan.name is not None
    if plan.has_own_task:
        parts = {"validation": splits.validation, "test": splits.test}
    else:
        parts = {"test": splits.other_test}
    used = {split: part for split, part in parts.items() if part is not None}
    measured = evaluation.evaluate_on_other_data(experiment, used, run_dir, name=plan.name)
    counts = {split: len(part) for split, part in used.items()}
    measured |= {"task": plan.config.task, "data": counts, "versions": metrics.versions()}
    if replaced := splits.redacted(used.values()):
        measured["redacted"] = replaced
    path = run_dir / layout.of_evaluation(plan.name, layout.METRICS)
    if experiment.devices.is_chief:
        files.write_json(path, measured)
    return measured, path
