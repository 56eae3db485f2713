"""Build what a configuration names: the task, the text layer, and the model with its policies."""

import contextlib
import functools
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config import combinations
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import (
    classifier,
    encoder_source,
    masked_lm_head,
    precision,
    redactions,
    windows,
)
from ftkeras.experiment.checks import check
from ftkeras.experiment.definition import Experiment
from ftkeras.experiment.part_errors import blame
from ftkeras.policies import Policy
from ftkeras.problems import Problem
from ftkeras.regularizers import Regularizer, Step
from ftkeras.runs import inputs, layout
from ftkeras.runs import problem as recorded_problem
from ftkeras.strategies import Devices
from ftkeras.support.protocols import Encoder
from ftkeras.text.layer import TextLayer
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.training.finetuner import FineTuner


def experiment(
    config: Config, *, run_dir: pathlib.Path | None = None, devices: Devices | None = None
) -> Experiment:
    """Build what `config` names.

    Args:
        config: the run's.
        run_dir: the folder of a run whose finished model to build again, in float32 and without
            the checkpoint that it started from; the caller loads its weights. None for a new run.
        devices: of another experiment, which this one joins without a change of random numbers;
            None to open those of `config`.

    Raises:
        UserError: something that `config` names does not exist, is wrong or does not fit.
    """
    if devices is None:
        devices = _open(config)
    with devices.scope(), devices.silence_other_workers():
        return _build(config, devices, run_dir)


def _open(config: Config) -> Devices:
    """Return the devices of a run, whose settings are checked and whose random numbers fixed."""
    devices: Devices = catalog.build("strategy", config.strategy).open()  # TensorFlow starts here
    check(config)
    fix_randomness(config)
    return devices


def fix_randomness(config: Config) -> None:
    """Seed all random numbers; make TensorFlow's operations deterministic if asked for."""
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def _build(config: Config, devices: Devices, run_dir: pathlib.Path | None) -> Experiment:
    recorded = recorded_problem.read_labels(run_dir) if run_dir else None
    task = catalog.build("task", config.task, data_dir=config.data_dir, known_labels=recorded)
    problem, folder = task.problem(recorded), None
    if run_dir:
        problem.restore_state(recorded_problem.read_state(run_dir))
    else:
        task.splits()  # data that is missing shows before a checkpoint is downloaded
        folder = encoder_source.resolve(config)
        width = encoder_source.width(config, folder)
        config = precision.settle(config, hidden=width, devices=devices)
    encoder, tokenizer, head = _build_network(config, problem, folder, run_dir)
    _check_encoder(config, problem, encoder, head)
    if not run_dir and task.pairs and problem.reads != "each_text":
        _check_segments(encoder, tokenizer)
    model = _build_model(config, problem, encoder, head, tokenizer.pad_id, is_new=not run_dir)
    problem.use_head(head)
    if not run_dir:
        classifier.start_head(config, model, problem, folder)
    text_layer = _build_text_layer(config, problem, encoder, tokenizer)
    specs = _lasting_policies(config) if run_dir else config.policy
    policies = _apply_policies(config, model, specs)
    if encoder.pool is not None and not head.needs_pooler:
        encoder.pool.trainable = False
    if not run_dir:
        _attach_regularizers(config, model)
    # A run has recorded whether it read pairs, so its data need not be read again.
    read = inputs.read(run_dir) if run_dir else {}
    pairs = bool(read["pairs"]) if read else task.pairs
    return Experiment(config, task, problem, text_layer, model, policies, devices, pairs)


def _build_network(
    config: Config, problem: Problem, folder: pathlib.Path | None, run_dir: pathlib.Path | None
) -> tuple[Encoder, Tokenizer, Any]:
    """Build the encoder, its tokenizer and the head.

    Args:
        config: the run's.
        problem: decides which head and how many outputs.
        folder: of the checkpoint that a new run starts from; None for random weights.
        run_dir: the folder of a finished run, whose encoder to build again; None for a new run.
    """
    with _dtype_policy("float32" if run_dir else config.precision):
        head = classifier.build_head(config, problem.head, outputs=len(problem.names))
        # A head that predicts tokens reads no pooler, but exports hand on that of the checkpoint.
        pooler = None if head.needs_vocabulary else head.needs_pooler
        if run_dir:
            recorded = run_dir / layout.ENCODER
            return *encoder_source.build_recorded(config, recorded, pooler=pooler), head
        return *encoder_source.build_new(config, folder, pooler=pooler), head


def _check_encoder(config: Config, problem: Problem, encoder: Encoder, head: Any) -> None:
    """Raise UserError unless the encoder can read the texts and solve the problem."""
    if config.max_length > encoder.positions:
        raise UserError(
            f"max_length={config.max_length} is more than the encoder's {encoder.positions} "
            "positions."
        )
    if encoder.causal and problem.needs_both_sides:
        raise UserError(
            f"`encoder`: a {problem.kind} reads what follows a token too, but in {config.encoder} "
            "a token attends only to those before it; use another family, such as bert or roberta."
        )
    if head.needs_vocabulary:
        masked_lm_head.check(encoder)


def _check_segments(encoder: Encoder, tokenizer: Tokenizer) -> None:
    """Raise UserError if the encoder lacks the second segment that its tokenizer has."""
    if encoder.segments == 1 and tokenizer.segments > 1:
        raise UserError(
            "`encoder`: it has one segment (type_vocab_size=1), but the task's texts come in "
            "pairs, whose second text is segment 1; use a checkpoint with two segments."
        )


def _build_model(
    config: Config, problem: Problem, encoder: Encoder, head: Any, pad_id: int, *, is_new: bool
) -> FineTuner:
    """Build the model; only that of a new run has regularizers."""
    make_step = functools.partial(
        Step, divergence=problem.divergence, entropy=problem.entropy, soft_loss=problem.soft_loss
    )
    return FineTuner(
        encoder=encoder,
        head=head,
        pad_id=pad_id,
        make_step=make_step,
        condense=None if problem.masking is None else problem.condense,
        extra_metrics=problem.epoch_metrics() if windows.reported(config, problem) else [],
        regularizers=_regularizers(config) if is_new else [],
    )


def _build_text_layer(
    config: Config, problem: Problem, encoder: Encoder, tokenizer: Tokenizer
) -> TextLayer:
    if problem.reads in ("words", "contexts"):
        _require_offsets(tokenizer, problem.kind)
    return TextLayer(
        tokenizer=tokenizer,
        truncation=catalog.build("truncation", combinations.truncation(config)),
        max_length=config.max_length,
        segments=encoder.segments > 0,
        words=problem.reads == "words",
        every_piece=problem.every_piece,
        contexts=problem.reads == "contexts",
        options=len(problem.names) if problem.reads == "options" else None,
        each_text=problem.reads == "each_text",
        redaction=redactions.build(config),
    )


def _require_offsets(tokenizer: Tokenizer, kind: str) -> None:
    try:
        tokenizer.with_offsets(tf.constant([""]))
    except ValueError as error:
        raise UserError(f"`encoder`: a {kind} needs its tokenizer's offsets: {error}") from None


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Set the dtype policy of the layers that are created meanwhile."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _lasting_policies(config: Config) -> tuple[str, ...]:
    """Return the policies whose variables are part of the finished model."""
    names = {spec: catalog.parse("policy", spec).name for spec in config.policy}
    return tuple(spec for spec in config.policy if catalog.find("policy", names[spec]).stays)


def _apply_policies(config: Config, model: FineTuner, specs: Sequence[str]) -> tuple[Policy, ...]:
    """Build the policies; let all of them prepare the model, then all check it."""
    policies = tuple(catalog.build("policy", spec, seed=config.seed) for spec in specs)
    for spec, policy in zip(specs, policies, strict=True):
        with blame("policy", spec):
            policy.prepare(model)
    for spec, policy in zip(specs, policies, strict=True):
        with blame("policy", spec):
            policy.check(model)
    return policies


def _regularizers(config: Config) -> list[Regularizer]:
    return [catalog.build("regularizer", spec, seed=config.seed) for spec in config.regularizer]


def _attach_regularizers(config: Config, model: FineTuner) -> None:
    """Let the regularizers find their variables and register their hooks."""
    for spec, regularizer in zip(config.regularizer, model.regularizers, strict=True):
        with blame("regularizer", spec):
            regularizer.attach(model)
