"""A run's folder: what lies in it, who holds it, and whether what it holds can be gone on with."""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator
from datetime import datetime

from ftkeras import catalog
from ftkeras.cli import flags
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment.build import ENCODER_FOLDER, LABELS_FILE, WEIGHTS_FILE, Experiment
from ftkeras.support import files

SETTINGS, CHECKPOINTS, EXPORTS, LOCK = "run.cfg", "checkpoints", "exports.json", ".lock"
# All that a run writes into its folder; --restart removes just these.
OURS = (
    *(SETTINGS, CHECKPOINTS, EXPORTS, ENCODER_FOLDER, LABELS_FILE, WEIGHTS_FILE),
    *("history.csv", "metrics.json", "predictions.jsonl", "predictions_validation.jsonl"),
    *("samples.jsonl", "tensorboard", "huggingface", "onnx", "litert"),
)


def of(config: Config) -> pathlib.Path:
    """Where this run goes; it can be written."""
    if config.run_dir is not None:
        return files.must_be_writable(config.run_dir, "--run_dir")
    task = catalog.parse("task", config.task).name
    name = f"runs/{task}/{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    return files.must_be_writable(name, "--run_dir")


def must_fit(config: Config, run_dir: pathlib.Path) -> None:
    """Refuses to go on with a run of other settings.

    Raises:
        UserError: naming what differs.
    """
    if config.restart:
        return
    if not (run_dir / SETTINGS).exists():
        if strange := [name for name in OURS if (run_dir / name).exists()]:
            raise UserError(
                f"run_dir={run_dir} holds {strange[0]} but no {SETTINGS}, so it is no run to go "
                "on with; name another folder, or begin anew with `restart`."
            )
        return
    before = flags.recorded(run_dir / SETTINGS)
    for name in ("epochs", "trained_epochs"):
        now, then = getattr(config, name), getattr(before, name)
        if now < then:
            flag = "last_epoch" if config.last_epoch == now else "epochs"
            raise UserError(
                f"{flag}={now}: the run in run_dir={run_dir} is one of {then} epochs, and can "
                "only be made longer; `restart` begins anew."
            )
    if differ := flags.differences(config, before):
        raise UserError(
            f"run_dir={run_dir} holds a run of other settings: {', '.join(differ)}; name another "
            "folder, or begin anew with `restart`."
        )


def is_finished(config: Config, run_dir: pathlib.Path) -> bool:
    """Whether the run is there already, to its last epoch and its exports."""
    if config.restart or not (run_dir / EXPORTS).exists():
        return False
    before = flags.recorded(run_dir / SETTINGS)
    return (config.epochs, config.trained_epochs) == (before.epochs, before.trained_epochs)


@contextlib.contextmanager
def held(run_dir: pathlib.Path, *, restart: bool) -> Iterator[None]:
    """Holds the folder while this process lives; nobody else can hold it meanwhile.

    Raises:
        UserError: another process holds it.
    """
    made = [path for path in (run_dir, *run_dir.parents) if not path.exists()]
    run_dir.mkdir(parents=True, exist_ok=True)
    refusal = (
        f"--run_dir={run_dir} is in use by another process; wait for it, or name another folder."
    )
    with files.locked(run_dir / LOCK, refusal):
        _tidy(run_dir, restart)
        try:
            yield
        finally:
            _leave(run_dir, made)


def record(experiment: Experiment, run_dir: pathlib.Path) -> None:
    """Writes what is needed to build the run's model again."""
    (run_dir / EXPORTS).unlink(missing_ok=True)
    experiment.text_layer.wordpiece.save(run_dir / ENCODER_FOLDER)
    settings = experiment.model.encoder.huggingface_config()
    files.write_json(run_dir / ENCODER_FOLDER / "config.json", settings)
    files.write_json(run_dir / LABELS_FILE, list(experiment.labels))
    files.write_text(run_dir / SETTINGS, flags.render(experiment.config))


def record_exports(run_dir: pathlib.Path, exports: list[pathlib.Path]) -> None:
    """Writes where the exports are, which says that the run is finished."""
    files.write_json(run_dir / EXPORTS, [str(path) for path in exports])


def exports(run_dir: pathlib.Path) -> list[str]:
    """Where the exports of a finished run are."""
    return json.loads((run_dir / EXPORTS).read_text(encoding="utf-8"))


def _tidy(run_dir: pathlib.Path, restart: bool) -> None:
    # What a killed process was writing: only we hold the folder, so nobody writes it now.
    for path in run_dir.rglob(".*.partial"):
        path.unlink()
    for name in OURS if restart else ():
        files.remove(run_dir / name)


def _leave(run_dir: pathlib.Path, made: list[pathlib.Path]) -> None:
    if os.listdir(run_dir) == [LOCK]:  # nothing came of it
        (run_dir / LOCK).unlink()
        for folder in made:
            folder.rmdir()
