"""Build the loss, optimizer and schedule of a run, and compile its model with them."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import keras
from keras.optimizers.schedules import LearningRateSchedule

from ftkeras import catalog
from ftkeras.config.durations import warmup_steps
from ftkeras.config.run import DEFAULT_WARMUP, Config
from ftkeras.errors import UserError
from ftkeras.experiment.definition import Experiment
from ftkeras.experiment.part_errors import blame
from ftkeras.privacy import Mechanism
from ftkeras.schedules import Warmup
from ftkeras.support import accelerator


@runtime_checkable
class ValidationSchedule(Protocol):
    """A schedule that follows the validation metrics, and so has a state."""

    @property
    def variables(self) -> list[keras.Variable]:
        """Return the state, which a checkpoint saves."""
        ...

    def callback(self) -> keras.callbacks.Callback:
        """Return the callback that updates the state after each epoch."""
        ...


def loss(
    config: Config,
    *,
    classes: int | None = None,
    pos_weight: Sequence[float] | None = None,
    transitions: keras.Variable | None = None,
) -> keras.losses.Loss:
    """Build the loss of a run.

    Args:
        config: the run's.
        classes: how many there are, if each example has one.
        pos_weight: weight of each label's positive examples, if an example may have several.
        transitions: scores of answers to words that follow each other, if the head has any.
    """
    return catalog.build(
        "loss", config.loss, classes=classes, pos_weight=pos_weight, transitions=transitions
    )


def average_callbacks(config: Config) -> list[keras.callbacks.Callback]:
    """Build the callback that averages the weights, if it is asked for."""
    if config.average is None:
        return []
    return [catalog.build("average", config.average, epochs=config.planned_epochs)]


def optimizer(
    config: Config, *, total_steps: int, multipliers: Sequence[tuple[str, float]] = ()
) -> keras.optimizers.Optimizer:
    """Build the optimizer with its schedule.

    Args:
        config: the run's.
        total_steps: updates of the whole run.
        multipliers: pairs of a regular expression on variable paths and a factor on the learning
            rate of the variables that match.
    """
    return catalog.build(
        "optimizer",
        config.optimizer,
        learning_rate=schedule(config, total_steps=total_steps),
        # A private run clips each example's gradient; the norm of a step's is mostly noise.
        clip_norm=config.clip_norm if config.private is None else 0.0,
        multipliers=multipliers,
        skip_nonfinite=config.on_nan == "skip",
        loss_scaling=config.precision == "mixed_float16",
    )


def schedule(config: Config, *, total_steps: int) -> LearningRateSchedule:
    """Build the learning-rate schedule of a run of `total_steps` updates, warm-up included."""
    warmup = resolve_warmup(config, total_steps=total_steps)
    peak = float(config.learning_rate)
    after = catalog.build(
        "schedule",
        config.schedule,
        peak=peak,
        total_steps=max(1, total_steps - warmup),
        warmup=warmup,
    )
    return Warmup(after=after, peak=peak, steps=warmup) if warmup else after


def resolve_warmup(config: Config, *, total_steps: int) -> int:
    """Return the number of warm-up updates; 0 for a schedule with a rise of its own."""
    cls = catalog.find("schedule", catalog.parse("schedule", config.schedule).name)
    rises = cls.rises
    if config.warmup is None:
        return 0 if rises else warmup_steps(DEFAULT_WARMUP, total_steps)
    steps = warmup_steps(config.warmup, total_steps)
    if rises and steps:
        raise UserError(
            f"schedule={config.schedule} has a rise of its own: omit `warmup`, or use warmup=0. "
            f"Received: warmup={config.warmup}."
        )
    return steps


def schedule_callbacks(schedule: LearningRateSchedule) -> list[keras.callbacks.Callback]:
    """Return the callback of a schedule that follows the validation metrics; none for others."""
    return [part.callback() for part in stateful_schedules(schedule)]


def stateful_schedules(schedule: LearningRateSchedule) -> list[ValidationSchedule]:
    """Return the part of a schedule whose state a checkpoint must save, if it has one."""
    after = schedule.after if isinstance(schedule, Warmup) else schedule
    return [after] if isinstance(after, ValidationSchedule) else []


def compile_to_train(
    experiment: Experiment,
    *,
    total_steps: int,
    fixed_shape: bool = False,
    private: Mechanism | None = None,
) -> None:
    """Compile the model with its loss, metrics and an optimizer that is ready for the first update.

    Args:
        experiment: its model is changed.
        total_steps: updates of the whole run.
        fixed_shape: whether all batches have the same shape.
        private: the mechanism of a private run.

    Raises:
        UserError: parts exclude each other, or nothing is left to train.
    """
    config, model = experiment.config, experiment.model
    multipliers = [*model.head.multipliers]
    multipliers += [pair for policy in experiment.policies for pair in policy.multipliers(model)]
    with experiment.devices.scope(), blame("optimizer", config.optimizer):
        made = optimizer(config, total_steps=total_steps, multipliers=multipliers)
        if made.updates_rows and config.accumulate > 1:
            # Gradients are accumulated by a loop in the graph, which needs them dense.
            raise UserError(
                f"optimizer={config.optimizer}: lazy rows and accumulate={config.accumulate} "
                "can't be combined; use one of them."
            )
        if made.updates_rows and private is not None:
            raise UserError(
                f"optimizer={config.optimizer}: lazy updates can't be combined with "
                f"private={config.private}, because the updated rows reveal which tokens were "
                "read; use lazy=False."
            )
        xla = _uses_xla(experiment, fixed_shape)
        _compile(experiment, made, jit_compile=xla, private=private)
        if not model.trainable_variables:
            raise UserError(f"policy={', '.join(config.policy)} leaves nothing to train.")
        model.optimizer.build(model.trainable_variables)


def compile_to_evaluate(experiment: Experiment) -> None:
    """Compile the model with its loss and metrics, without an optimizer."""
    _compile(experiment, None, jit_compile=False)


def _uses_xla(experiment: Experiment, fixed_shape: bool) -> bool:
    """Return whether XLA compiles the training step.

    By default it does so on accelerators if all batches have one shape, because each further shape
    would be compiled again. It cannot compile a step of several replicas: TensorFlow exchanges
    their gradients outside of XLA. A TPU's steps are always compiled, whatever is returned here.
    """
    wanted, replicas = experiment.config.jit_compile, experiment.devices.replicas
    if wanted == "true" and replicas > 1:
        raise UserError(
            f"jit_compile=true: TensorFlow can't compile a step of {replicas} replicas as a whole."
        )
    if wanted == "auto":
        return fixed_shape and replicas == 1 and accelerator.is_available()
    return wanted == "true"


def _compile(
    experiment: Experiment,
    optimizer: keras.optimizers.Optimizer | None,
    *,
    jit_compile: bool,
    private: Mechanism | None = None,
) -> None:
    config, problem = experiment.config, experiment.problem
    weighted = loss(config, **problem.loss_settings, **problem.weights) if problem.weights else None
    experiment.model.compile(
        optimizer=optimizer,
        loss=loss(config, **problem.loss_settings),
        training_loss=weighted,
        accumulate=config.accumulate,
        private=private,
        jit_compile=jit_compile,
        auto_scale_loss=False,  # the optimizer scales it
    )
