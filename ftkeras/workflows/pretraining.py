"""Pretrain an encoder on the texts of a task, for `pretrain` and for `train`."""

import dataclasses
import functools
import logging
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from ftkeras import catalog, encoders
from ftkeras.config import pretrain
from ftkeras.config.fields import AUTO
from ftkeras.config.pretrain import PretrainConfig
from ftkeras.config.run import Config
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.data.task import Task
from ftkeras.experiment import redactions
from ftkeras.runs import folder, layout
from ftkeras.text import training as vocabularies
from ftkeras.text.redactions import Redaction, replace
from ftkeras.workflows import training
from ftkeras.workflows.training import TrainedRun

log = logging.getLogger(__name__)

# What a run of `train` and the pretraining before it have in common.
_SHARED = (
    *("data_dir", "cache_dir", "data_seed", "task", "encoder", "redact", "max_length"),
    *("batch_size", "batch_tokens", "accumulate", "batching", "precision", "jit_compile", "remat"),
    *("optimizer", "seed", "strategy", "deterministic", "on_nan", "restart", "checkpoint_every"),
    "debug",
)


def run(config: PretrainConfig, callbacks: Sequence[keras.callbacks.Callback] = ()) -> TrainedRun:
    """Pretrain, with a new vocabulary if that is asked for.

    Args:
        config: the configuration of `pretrain`.
        callbacks: called while it trains.

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    plain = config.run_config()
    if config.vocabulary_size is not None:
        run_dir = folder.choose(plain)
        path = _vocabulary(plain, run_dir, config.vocabulary_size)
        encoder = pretrain.with_vocabulary(plain.encoder, str(path))
        plain = dataclasses.replace(plain, run_dir=str(run_dir), encoder=encoder)
    return training.run(plain, callbacks)


def first(config: Config) -> Config:
    """Pretrain a run's encoder, unless that is done, and return its configuration with the result.

    The pretraining is a run of its own, in the folder "pretrained" of the run's folder.

    Args:
        config: with `pretrain_epochs`.

    Raises:
        UserError: as `run` does.
        Stopped: as `run` does.
    """
    run_dir = folder.choose(config)
    shared = {name: getattr(config, name) for name in _SHARED}
    before = PretrainConfig(
        **shared,
        epochs=config.pretrain_epochs or AUTO,
        name=config.name,
        run_dir=str(run_dir / layout.PRETRAINED),
    )
    log.info("pretraining the encoder first, in %s", run_dir / layout.PRETRAINED)
    pretrained = run(before)
    log.info("")
    return dataclasses.replace(
        config,
        encoder=str(pretrained.run_dir),
        run_dir=str(run_dir),
        pretrain_epochs=None,
    )


def _vocabulary(config: Config, run_dir: pathlib.Path, size: int) -> pathlib.Path:
    """Return the folder of the run's vocabulary, which is trained unless the run has begun."""
    path = run_dir / layout.VOCABULARY
    if path.is_dir() and (run_dir / layout.SETTINGS).is_file() and not config.restart:
        return path
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    family = encoders.family(catalog.parse("encoder", config.encoder).name)
    log.info("vocabulary of %s tokens, from the texts of train …", f"{size:,}")
    with reraise_user_errors():
        texts = functools.partial(_texts, task, redactions.build(config))
        found = vocabularies.train(texts, size, kind=family.vocabulary)
    found.save(path)
    return path


def _texts(task: Task, redaction: Redaction | None) -> Iterator[str]:
    """Yield the texts to train on, redacted."""
    example: Any
    for example in task.splits()["train"]:
        text: Any = example["text"] if redaction is None else replace(redaction, example["text"])
        yield text.numpy().decode("utf-8", "replace")
