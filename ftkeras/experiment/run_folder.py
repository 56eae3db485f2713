"""A run's folder as the workers of the run share it: all lock it, the chief writes."""

import contextlib
import pathlib
from collections.abc import Iterator

from ftkeras.errors import UserError
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import audit, exported, folder, inputs, metrics
from ftkeras.support import hardware, hashes


def agree(experiment: Experiment, run_dir: pathlib.Path) -> pathlib.Path:
    """Return the chief's folder; each worker makes up a name of its own if none was given."""
    return pathlib.Path(experiment.devices.broadcast_from_chief(str(run_dir).encode()).decode())


@contextlib.contextmanager
def lock(experiment: Experiment, run_dir: pathlib.Path) -> Iterator[None]:
    """Lock the folder for all workers.

    Raises:
        UserError: if another process has locked it.
    """
    devices = experiment.devices
    with contextlib.ExitStack() as stack:
        if devices.is_chief:
            stack.enter_context(folder.lock(run_dir, restart=experiment.config.restart))
        stack.enter_context(devices.silence_other_workers())
        stack.enter_context(devices.report_lost_workers())
        devices.broadcast_from_chief(b"locked")  # wait until the chief has cleaned up the folder
        yield


def record(experiment: Experiment, run_dir: pathlib.Path) -> None:
    """Write what is needed to build the model again."""
    config = experiment.config
    if experiment.devices.is_chief:
        folder.record(
            run_dir,
            config,
            labels=experiment.problem.names,
            inputs={"pairs": experiment.pairs, **experiment.task.columns, **inputs.further(config)},
            problem=experiment.problem.state(),
            tokenizer=experiment.text_layer.tokenizer,
            encoder_config=experiment.model.encoder.huggingface_config(),
        )


def log_training(
    experiment: Experiment, run_dir: pathlib.Path, written: list[pathlib.Path]
) -> None:
    """Add the finished training to the audit log: what was trained on what, and became what.

    Args:
        experiment: the run's.
        run_dir: the run's folder.
        written: where the exports are.
    """
    try:
        files = [path for paths in experiment.task.files().values() for path in paths]
        data = hashes.condensed({str(path): hashes.sha256(path) for path in files})
    except (UserError, OSError) as error:  # such as data that is on another machine
        data, reason = {}, {"data_unknown": str(error)}
    else:
        reason = {}
    made = {"hardware": hardware.describe(), "code": hashes.of_code()}
    teachers = {name: exported.weights(pathlib.Path(name)) for name in experiment.config.teacher}
    details = {
        "files": folder.model_files(run_dir),
        "data": data,
        **reason,
        "teachers": {name: hashes.sha256(path) for name, path in teachers.items() if path},
        **made,
    }
    audit.append(run_dir, "trained", {**details, **exported.audited(written)})


def write_metrics(experiment: Experiment, run_dir: pathlib.Path, values: dict) -> None:
    """Write metrics.json."""
    if experiment.devices.is_chief:
        metrics.write_metrics(run_dir, values)
