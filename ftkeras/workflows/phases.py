"""Train a run together with what comes before it: pretraining, pairs of texts, and rounds."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator, Sequence

import keras

from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import checks, posed_task
from ftkeras.runs import folder, replaced
from ftkeras.workflows import pairs_first, pretraining, self_training, training
from ftkeras.workflows.training import TrainedRun


def run(config: Config, callbacks: Sequence[keras.callbacks.Callback] = ()) -> TrainedRun:
    """Train the phases of a run that are left, and the run itself.

    Args:
        config: with `pretrain_epochs`, `few_shot` or `self_training`.
        callbacks: called while the run trains.

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    run_dir, config = folder.choose(config), posed_task.resolve(config)
    config = dataclasses.replace(config, run_dir=str(run_dir))
    checks.check(config)  # a phase passes on few settings, so it would not notice a wrong one
    if not config.restart:
        return _run(config, run_dir, callbacks)
    with _restarting(run_dir):
        return _run(dataclasses.replace(config, restart=False), run_dir, callbacks)


def _run(
    config: Config, run_dir: pathlib.Path, callbacks: Sequence[keras.callbacks.Callback]
) -> TrainedRun:
    with _resumed_by(run_dir):
        if config.pretrain_epochs is not None:
            config = pretraining.first(config)
        if config.self_training is not None:
            return self_training.run(config, callbacks)
        if config.few_shot is not None:
            config = pairs_first.tune(config)
    return training.run(config, callbacks)


@contextlib.contextmanager
def _restarting(run_dir: pathlib.Path) -> Iterator[None]:
    """Replace the run and its phases at once, so that none is taken for one of the new run.

    The folder is not locked in between, because each phase and the run lock their own.

    Raises:
        UserError: in one of several workers, which can't know whether another has begun; or if the
            folder has files but no run.
    """
    if os.environ.get("TF_CONFIG"):
        raise UserError(
            "`restart` can't clear the phases of a run on several workers; remove "
            f"run_dir={run_dir}, or name another folder."
        )
    with folder.locked(run_dir):
        replaced.set_aside(run_dir, replaced.RUN_AND_PHASES)
    try:
        yield
    finally:
        with folder.locked(run_dir):
            replaced.settle(run_dir, replaced.RUN_AND_PHASES)


@contextlib.contextmanager
def _resumed_by(run_dir: pathlib.Path) -> Iterator[None]:
    """Name the folder of the run in the message of a phase that was stopped, not its own."""
    try:
        yield
    except Stopped as stopped:
        message = f"Its state is kept. To resume, repeat the command with run_dir={run_dir}."
        raise Stopped(stopped.signal, message) from None
