"""Train a run together with what comes before it: pretraining, pairs of texts, and rounds."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

import keras

from ftkeras.config.run import Config
from ftkeras.errors import Stopped
from ftkeras.experiment import checks, inferred_task
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
    run_dir, config = folder.choose(config), inferred_task.resolve(config)
    config = dataclasses.replace(config, run_dir=str(run_dir))
    checks.check(config)  # a phase passes on few settings, so it would not notice a wrong one
    if config.few_shot is not None:
        pairs_first.check(config)  # not only after a pretraining
    with folder.locked_with_phases(run_dir):
        if not config.restart:
            return _run(config, run_dir, callbacks)
        with folder.restarting(run_dir, replaced.RUN_AND_PHASES):
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
def _resumed_by(run_dir: pathlib.Path) -> Iterator[None]:
    """Name the folder of the run in the message of a phase that was stopped, not its own."""
    resume = f"To resume, repeat the command with run_dir={run_dir}."
    try:
        yield
    except Stopped as stopped:
        raise Stopped(stopped.signal, f"Its state is kept. {resume}") from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(resume) from None
