"""A configuration to the things it names: text layer, model, data, and how it is trained."""

import contextlib
import json
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import keras
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from ftkeras import catalog
from ftkeras.config.durations import warmup_steps
from ftkeras.config.run import DEFAULT_WARMUP, Config
from ftkeras.errors import UserError
from ftkeras.experiment import encoder_source
from ftkeras.policies._base import check_together
from ftkeras.regularizers._base import Step
from ftkeras.runs import layout
from ftkeras.schedules import Warmup
from ftkeras.strategies import Devices
from ftkeras.support import accelerator
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner

# A run longer than any, where the length does not matter yet.
ENDLESS = 2**31


@dataclass(frozen=True)
class Experiment:
    """A task, the text layer it is read by, and the model that learns it."""

    config: Config
    task: object
    labels: tuple[str, ...]
    text_layer: TextLayer
    model: FineTuner
    policies: tuple = ()
    devices: Devices = field(default_factory=Devices)


def experiment(config: Config, *, run_dir: pathlib.Path | None = None) -> Experiment:
    """Builds what `config` names.

    Args:
        config: the run's.
        run_dir: a run's folder, to build its model again without the checkpoint it began from; its
            weights are left for the caller to load. None to begin from the checkpoint.
    """
    devices = catalog.build("strategy", config.strategy).open()  # before TensorFlow does anything
    check(config)
    fix_randomness(config)
    with devices.scope(), devices.quiet_beside_chief():
        return _made(config, devices, run_dir)


def _made(config: Config, devices: Devices, run_dir: pathlib.Path | None) -> Experiment:
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    labels = _recorded_labels(run_dir) if run_dir else task.labels
    # What is loaded is to be measured or exported, as it was when its run ended.
    with _computing_in("float32" if run_dir else precision(config)):
        head = catalog.build(
            "head", config.head or task.head, classes=len(labels), seed=config.seed
        )
        if run_dir:
            folder = run_dir / layout.ENCODER
            encoder, wordpiece = encoder_source.of_run(config, folder, pooler=head.needs_pooler)
        else:
            encoder, wordpiece = encoder_source.of_checkpoint_or_scratch(
                config, pooler=head.needs_pooler
            )
    if config.max_length > encoder.positions:
        raise UserError(
            f"max_length={config.max_length} is over the encoder's {encoder.positions} positions."
        )
    model = FineTuner(
        encoder=encoder,
        head=head,
        pad_id=wordpiece.pad_id,
        step_of=Step,
        measures=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    text_layer = TextLayer(
        wordpiece=wordpiece,
        truncation=catalog.build("truncation", config.truncation),
        max_length=config.max_length,
    )
    specs = _staying(config) if run_dir else config.policy
    policies = _prepared(config, model, specs)
    if not run_dir:
        _regulate(config, model)
    return Experiment(config, task, labels, text_layer, model, policies, devices)


def precision(config: Config) -> str:
    """The Keras dtype policy that training computes in."""
    if config.precision != "auto":
        return config.precision
    return "mixed_bfloat16" if accelerator.is_there() else "float32"


@contextlib.contextmanager
def _computing_in(policy: str) -> Iterator[None]:
    """Has the layers that are made meanwhile compute in this dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _staying(config: Config) -> tuple[str, ...]:
    """The policies that a finished model is not made again without."""
    parts = [(spec, catalog.parse("policy", spec).name) for spec in config.policy]
    return tuple(spec for spec, name in parts if catalog.find("policy", name).stays)


def _prepared(config: Config, model: FineTuner, specs: Sequence[str]) -> tuple:
    """The policies, when each has prepared the model."""
    policies = tuple(catalog.build("policy", spec, seed=config.seed) for spec in specs)
    for act in ("prepare", "check"):
        for spec, policy in zip(specs, policies, strict=True):
            with told("policy", spec):
                getattr(policy, act)(model)
    return policies


def _regulate(config: Config, model: FineTuner) -> None:
    """Gives the model its regularizers."""
    model.regularizers = tuple(
        catalog.build("regularizer", spec, seed=config.seed) for spec in config.regularizer
    )
    for spec, regularizer in zip(config.regularizer, model.regularizers, strict=True):
        with told("regularizer", spec):
            regularizer.attach(model)


@contextlib.contextmanager
def told(flag: str, spec: str):
    """Has what a part finds wrong with the model told as the flag's."""
    try:
        yield
    except ValueError as error:
        raise UserError(f"{flag}={spec}: {error}") from error


def check(config: Config) -> None:
    """Makes the light parts once, so that a wrong spec is told before anything heavy starts."""
    if config.folds is not None and config.fold is None and not config.train_on_validation:
        raise UserError(
            f"folds={config.folds} needs `fold`, the one to hold out, from 0; crossvalidate goes "
            "through all of them."
        )
    if config.group_by not in (None, "none"):
        catalog.build("group_by", config.group_by)
    for kind in ("task", "truncation"):
        catalog.find(kind, catalog.parse(kind, getattr(config, kind)).name)
    for spec in config.exports:
        catalog.find("export", catalog.parse("export", spec).name)
    for spec in config.regularizer:
        catalog.build("regularizer", spec, seed=config.seed)
    policies = [catalog.build("policy", spec, seed=config.seed) for spec in config.policy]
    with told("policy", ", ".join(config.policy)):
        check_together(policies)
    batching(config, pad_id=0)
    loss(config)
    average_callbacks(config)
    made = optimizer(config, total_steps=ENDLESS)
    if config.train_on_validation and schedule_callbacks(made._learning_rate):
        raise UserError(
            f"schedule={config.schedule} goes by validation, which `train_on_validation` leaves "
            "nothing of."
        )


def fix_randomness(config: Config) -> None:
    """Seeds everything that draws, and has TensorFlow add up in one order."""
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def batching(config: Config, *, pad_id: int, parts: int = 1):
    """How examples become batches, each split into so many parts."""
    named = [(spec, catalog.parse("regularizer", spec).name) for spec in config.regularizer]
    row_parts = [
        f"--regularizer={spec}" for spec, name in named if catalog.find("regularizer", name).by_row
    ]
    return catalog.build(
        "batching",
        config.batching,
        batch_size=config.batch_size,
        batch_tokens=config.batch_tokens,
        max_length=config.max_length,
        pad_id=pad_id,
        parts=parts,
        row_parts=row_parts,
    )


def loss(config: Config, *, classes: int | None = None) -> keras.losses.Loss:
    """What is minimised."""
    return catalog.build("loss", config.loss, classes=classes)


def average_callbacks(config: Config) -> list[keras.callbacks.Callback]:
    """The average of the weights that is measured and kept, where one is asked for."""
    if config.average is None:
        return []
    return [catalog.build("average", config.average, epochs=config.epochs)]


def optimizer(
    config: Config, *, total_steps: int, multipliers: Sequence[tuple[str, float]] = ()
) -> keras.optimizers.Optimizer:
    """The optimizer with its schedule, and the rates of single variables."""
    return catalog.build(
        "optimizer",
        config.optimizer,
        learning_rate=schedule(config, total_steps=total_steps),
        clip_norm=config.clip_norm,
        multipliers=multipliers,
    )


def schedule(config: Config, *, total_steps: int) -> LearningRateSchedule:
    """The rate over a run of `total_steps` updates, warm-up in front."""
    warmup = warmup_of(config, total_steps=total_steps)
    peak = config.learning_rate
    after = catalog.build(
        "schedule",
        config.schedule,
        peak=peak,
        total_steps=max(1, total_steps - warmup),
        warmup=warmup,
    )
    return Warmup(after=after, peak=peak, steps=warmup) if warmup else after


def warmup_of(config: Config, *, total_steps: int) -> int:
    """Updates of warm-up; a schedule that rises by itself has none."""
    cls = catalog.find("schedule", catalog.parse("schedule", config.schedule).name)
    rises = getattr(cls, "rises", False)
    if config.warmup is None:
        return 0 if rises else warmup_steps(DEFAULT_WARMUP, total_steps)
    steps = warmup_steps(config.warmup, total_steps)
    if rises and steps:
        raise UserError(
            f"schedule={config.schedule} rises by itself: leave `warmup` out, or say warmup=0. "
            f"Received: warmup={config.warmup}."
        )
    return steps


def schedule_callbacks(schedule: LearningRateSchedule) -> list[keras.callbacks.Callback]:
    """What a schedule needs in `fit`: one that goes by validation must hear of it."""
    after = _after_warmup(schedule)
    return [after.callback()] if hasattr(after, "callback") else []


def stateful_schedules(schedule: LearningRateSchedule) -> list:
    """What of a schedule has variables, which a checkpoint must keep."""
    after = _after_warmup(schedule)
    return [after] if hasattr(after, "variables") else []


def _after_warmup(schedule: LearningRateSchedule) -> LearningRateSchedule:
    return schedule.after if isinstance(schedule, Warmup) else schedule


def compile_to_train(
    experiment: Experiment, *, total_steps: int, fixed_shape: bool = False
) -> None:
    """Gives the model its loss, metrics and an optimizer for so many updates, ready to begin.

    Args:
        experiment: is changed.
        total_steps: updates of the whole run.
        fixed_shape: whether all batches are of one shape.
    """
    config, model = experiment.config, experiment.model
    model.accumulate, model.encoder.recomputes = config.accumulate, config.remat
    rates = [pair for policy in experiment.policies for pair in policy.multipliers(model)]
    with experiment.devices.scope(), told("optimizer", config.optimizer):
        made = optimizer(config, total_steps=total_steps, multipliers=rates)
        if made.takes_rows and config.accumulate > 1:
            # A loop in the graph adds up whole gradients.
            raise UserError(
                f"optimizer={config.optimizer}: lazy rows and accumulate={config.accumulate} "
                "don't go together; leave out one."
            )
        made.skips = config.on_nan == "skip"
        made.scales_loss = precision(config) == "mixed_float16"
        _compile(config, model, made, jit_compile=_compiles(experiment, fixed_shape))
        if not model.trainable_variables:
            raise UserError(f"policy={', '.join(config.policy)} leaves nothing to train.")
        model.optimizer.build(model.trainable_variables)


def compile_to_measure(experiment: Experiment) -> None:
    """Gives the model its loss and metrics."""
    _compile(experiment.config, experiment.model, None, jit_compile=False)


def _compiles(experiment: Experiment, fixed_shape: bool) -> bool:
    """Whether XLA compiles the step: where shapes vary, each would be compiled anew.

    Not a step of several replicas, which TensorFlow lets exchange gradients outside of XLA only; a
    TPU's steps are compiled in any case.
    """
    wanted, replicas = experiment.config.jit_compile, experiment.devices.replicas
    if wanted == "true" and replicas > 1:
        raise UserError(
            f"jit_compile=true: TensorFlow does not compile a step of {replicas} replicas as one."
        )
    if wanted == "auto":
        return fixed_shape and replicas == 1 and accelerator.is_there()
    return wanted == "true"


def _compile(config: Config, model: FineTuner, optimizer, *, jit_compile: bool) -> None:
    model.compile(
        optimizer=optimizer,
        loss=loss(config, classes=model.head.classes),
        jit_compile=jit_compile,
        auto_scale_loss=False,  # the optimizer does that itself
    )


def _recorded_labels(run_dir: pathlib.Path) -> tuple[str, ...]:
    path = run_dir / layout.LABELS
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"`run_dir`: {path} can't be read: {error}") from None
