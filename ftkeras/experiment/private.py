"""Training with differential privacy: what it needs of a run, and what it excludes."""

import logging
import pathlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.data.poisson import PoissonSampling
from ftkeras.errors import UserError
from ftkeras.experiment import run_length
from ftkeras.experiment.definition import Experiment
from ftkeras.experiment.part_errors import blame
from ftkeras.privacy import Mechanism, Sampling, secret_numbers
from ftkeras.runs import layout
from ftkeras.support import files

log = logging.getLogger(__name__)
KEY_BYTES = 32


def check(config: Config) -> None:
    """Raise UserError if the mechanism's spec is wrong, or a setting breaks its guarantee."""
    if config.private is None:
        return
    mechanism = _build(config)
    breaches = list(_breaches(config))
    if not mechanism.public_validation:
        breaches += _uses_of_validation(config)
    if breaches:
        setting, reason = breaches[0]
        raise UserError(f"{setting} can't be combined with private={config.private}: {reason}.")


def selects_by_validation(config: Config) -> bool:
    """Return whether the validation split may decide which weights a run keeps."""
    if config.train_on_validation:
        return False
    return config.private is None or _build(config).public_validation


def open_key(experiment: Experiment, run_dir: pathlib.Path) -> bytes:
    """Return the secret of a private run: of the run to resume, or a new one; b"" for others."""
    config = experiment.config
    if config.private is None:
        return b""
    seed = catalog.parse("private", config.private).arguments.get("seed")
    if seed is not None:
        log.warning("private: with seed=%s the noise is predictable, so nothing is private", seed)
        return f"seed {seed}".encode()
    path = run_dir / layout.PRIVACY_KEY
    own = path.read_bytes() if path.is_file() else secrets.token_bytes(KEY_BYTES)
    return experiment.devices.broadcast_from_chief(own)


def keep_key(experiment: Experiment, run_dir: pathlib.Path, key: bytes) -> None:
    """Write the secret into the run's folder, for its owner only, so that the run can resume."""
    if key and experiment.devices.is_chief:
        files.write_secret(run_dir / layout.PRIVACY_KEY, key)


def delete_key(run_dir: pathlib.Path) -> None:
    """Delete the secret of a finished run, from which its noise could be computed."""
    (run_dir / layout.PRIVACY_KEY).unlink(missing_ok=True)


def sampling(experiment: Experiment, train: Examples, key: bytes) -> PoissonSampling | None:
    """Return the sampling of a private run's batches; None for other runs.

    Args:
        experiment: the run's.
        train: the examples to train on, before they are cut into rows.
        key: the secret.
    """
    config = experiment.config
    if config.private is None:
        return None
    run = _sampling(config, len(train), steps=1, key=key)
    windows = train.windows
    rows = np.ones(len(train), np.int64) if windows is None else windows.counts[train.rows]
    return PoissonSampling(
        rows,
        rate=run.rate,
        batches=run_length.count_updates(config, len(train)),
        seed=secret_numbers(key, "sampling"),
        replicas=experiment.devices.replicas,
    )


def mechanism(experiment: Experiment, *, examples: int, steps: int, key: bytes) -> Mechanism | None:
    """Return the mechanism of a private run, ready to train; None for other runs.

    Args:
        experiment: the run's.
        examples: to train on.
        steps: updates of the whole run.
        key: the secret.

    Raises:
        UserError: the devices need batches of one size.
    """
    config = experiment.config
    if config.private is None:
        return None
    if isinstance(experiment.devices.strategy, tf.distribute.TPUStrategy):
        raise UserError(
            f"strategy={config.strategy} can't be combined with private={config.private}: a TPU "
            "needs batches of equal size, but the batches of a private run have random sizes."
        )
    made = _build(config, sampling=_sampling(config, examples, steps=steps, key=key))
    delta = catalog.parse("private", config.private).arguments["delta"]
    if delta * examples >= 1:
        log.warning(
            f"private: delta={delta:g} allows publishing one of {examples:,} examples; "
            f"use less than {1 / examples:.0e}"
        )
    with blame("private", config.private):
        log.info("%s", f"private  {made.describe()}")
    log.info(
        f"note: the guarantee covers the weights and exports; {layout.HISTORY}, {layout.METRICS} "
        f"and {layout.REPORT} in the run's folder contain figures and texts of the data"
    )
    if not made.public_validation and not config.train_on_validation:
        log.info("note: the last epoch is kept, because the validation split may not choose one")
    return made


def check_learned(experiment: Experiment, before: Mapping[str, Any]) -> None:
    """Raise UserError if the problem learns numbers of a private run's examples without noise.

    Args:
        experiment: the run's; its problem has been fitted.
        before: the problem's state before that.
    """
    config, problem = experiment.config, experiment.problem
    if config.private is None:
        return
    learned = [name for name, value in problem.state().items() if before.get(name) != value]
    if learned:
        raise UserError(
            f"task={config.task} can't be combined with private={config.private}: "
            f"{', '.join(learned)} would be computed from the training answers without noise; "
            "set them in `task`."
        )
    if problem.needs_tuning and not selects_by_validation(config):
        raise UserError(
            f"task={config.task} can't be combined with private={config.private}: thresholds are "
            "chosen on the validation split; set them in `task`, or declare the split public "
            "with public_validation=True."
        )


def _build(config: Config, sampling: Sampling | None = None) -> Any:
    assert config.private is not None, "the run is private"
    return catalog.build("private", config.private, sampling=sampling)


def _sampling(config: Config, examples: int, *, steps: int, key: bytes) -> Sampling:
    assert config.batch_size is not None, "`check` refuses batches that are limited by tokens"
    return Sampling(examples=examples, batch_size=config.batch_size, steps=steps, key=key)


def _breaches(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each setting that breaks the guarantee, and why."""
    reasons = {
        "batch_tokens": "examples are sampled independently of their lengths; use `batch_size`",
        "teacher": "it learned from the examples without noise",
        "few_shot": "its first phase trains without noise",
        "self_training": "its first phase trains without noise",
        "class_weights": "they depend on the labels of all examples",
        "pretrain_epochs": "pretraining would read the texts too",
        "folds": "each example would be used by several runs",
    }
    for name, reason in reasons.items():
        if value := getattr(config, name):
            yield f"{name}={value[0] if isinstance(value, tuple) else value}", reason
    if config.accumulate > 1:
        yield f"accumulate={config.accumulate}", "each example already is a micro-batch"
    if config.oversample:
        yield "`oversample`", "an example that is repeated counts more than once"
    if config.precision == "mixed_float16":
        reason = "the scale of its loss depends on all examples; use float32 or mixed_bfloat16"
        yield "precision=mixed_float16", reason
    if config.jit_compile == "true":
        yield "jit_compile=true", "batches are random in size, and each size would be compiled"
    yield from _breaches_of_parts(config)


def _breaches_of_parts(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each part that breaks the guarantee, and why."""
    if catalog.parse("batching", config.batching).name == "packed":
        reason = "the gradient of each example is needed alone; use padded or bucketed"
        yield f"batching={config.batching}", reason
    if catalog.parse("strategy", config.strategy).arguments.get("compress") is not None:
        reason = "rounding the workers' gradients changes how much an example can add to their sum"
        yield f"strategy={config.strategy}", reason
    loss = catalog.find("loss", catalog.parse("loss", config.loss).name)
    if getattr(loss, "between_examples", False):
        yield f"loss={config.loss}", "the loss of an example depends on others in its batch"
    for spec in config.regularizer:
        if catalog.find("regularizer", catalog.parse("regularizer", spec).name).of_weights:
            reason = "its term would be clipped with each gradient; use the optimizer's decay"
            yield f"regularizer={spec}", reason


def _uses_of_validation(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each setting by which the validation split changes what is trained."""
    remedy = "the validation split may be private; state public_validation=True if it is not"
    if config.early_stopping is not None:
        yield f"early_stopping={config.early_stopping}", remedy
    if config.evaluate_every is not None:
        yield f"evaluate_every={config.evaluate_every}", remedy
    if config.calibrate:
        yield "`calibrate`", remedy
    schedule = catalog.find("schedule", catalog.parse("schedule", config.schedule).name)
    if hasattr(schedule, "callback"):
        yield f"schedule={config.schedule}", remedy
