"""A configuration to the things it names: text layer, model, data, and how it is trained."""

import contextlib
import json
import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import keras
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from ftkeras import catalog, corpora, pretrained
from ftkeras.catalog import Spec
from ftkeras.config import DEFAULT_WARMUP, Config, warmup_steps
from ftkeras.errors import UserError
from ftkeras.policies._base import check_together
from ftkeras.regularizers._base import Step
from ftkeras.schedules._warmup import Warmup
from ftkeras.strategies._base import Devices
from ftkeras.text.layer import TextLayer
from ftkeras.text.wordpiece import WordPiece
from ftkeras.training.finetuner import FineTuner

# Where a run keeps what makes its encoder and text layer again: config.json and the vocabulary.
ENCODER_FOLDER = "encoder"
WEIGHTS_FILE = "weights.safetensors"
LABELS_FILE = "labels.json"
# What may be set beside a checkpoint; all else is the checkpoint's own.
DROPOUTS = ("dropout", "attention_dropout")
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
    head = catalog.build("head", config.head or task.head, classes=len(labels), seed=config.seed)
    encoder, wordpiece = _encoder(config, pooler=head.needs_pooler, run_dir=run_dir)
    if config.max_length > encoder.positions:
        raise UserError(
            f"--max_length={config.max_length} is over the encoder's {encoder.positions} positions."
        )
    model = FineTuner(
        encoder=encoder,
        head=head,
        pad_id=wordpiece.pad_id,
        step_of=Step,
        measures=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    model({"token_ids": keras.ops.zeros((1, 2), "int32")})  # makes the head's variables
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
        raise UserError(f"--{flag}={spec}: {error}") from error


def check(config: Config) -> None:
    """Makes the light parts once, so that a wrong spec is told before anything heavy starts."""
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
    optimizer(config, total_steps=ENDLESS)


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
            f"--schedule={config.schedule} rises by itself: leave --warmup out, or say --warmup=0. "
            f"Received: --warmup={config.warmup}."
        )
    return steps


def schedule_callbacks(schedule: LearningRateSchedule) -> list[keras.callbacks.Callback]:
    """What a schedule needs in `fit`: one that goes by validation must hear of it."""
    after = schedule.after if isinstance(schedule, Warmup) else schedule
    return [after.callback()] if hasattr(after, "callback") else []


def stateful_schedules(schedule: LearningRateSchedule) -> list:
    """What of a schedule has variables, which a checkpoint must keep."""
    after = schedule.after if isinstance(schedule, Warmup) else schedule
    return [after] if hasattr(after, "variables") else []


def compile_to_train(experiment: Experiment, *, total_steps: int) -> None:
    """Gives the model its loss, metrics and an optimizer for so many updates, ready to begin."""
    config, model = experiment.config, experiment.model
    model.accumulate = config.accumulate
    rates = [pair for policy in experiment.policies for pair in policy.multipliers(model)]
    with experiment.devices.scope(), told("optimizer", config.optimizer):
        _compile(config, model, optimizer(config, total_steps=total_steps, multipliers=rates))
        if not model.trainable_variables:
            raise UserError(f"--policy={', '.join(config.policy)} leaves nothing to train.")
        model.optimizer.skips = config.on_nan == "skip"
        model.optimizer.build(model.trainable_variables)


def compile_to_measure(experiment: Experiment) -> None:
    """Gives the model its loss and metrics."""
    _compile(experiment.config, experiment.model, None)


def _compile(config: Config, model: FineTuner, optimizer) -> None:
    model.compile(
        optimizer=optimizer,
        loss=loss(config, classes=model.head.classes),
        jit_compile=False,  # padding to the batch's longest has many shapes, each compiled anew
    )


def _encoder(config: Config, *, pooler: bool, run_dir: pathlib.Path | None):
    if run_dir is not None:
        folder = run_dir / ENCODER_FOLDER
        return _of_folder(folder, _spec(config.encoder), pooler=pooler, load=False)
    spec = _spec(config.encoder)
    if "checkpoint" in spec.arguments:
        folder = pretrained.resolve(str(spec.arguments["checkpoint"]))
        return _of_folder(folder, spec, pooler=pooler, load=True, seed=config.seed)
    return _from_scratch(spec, pooler=pooler, seed=config.seed)


def _spec(text: str) -> Spec:
    """A spec; what is none, and no part's name, is a checkpoint: a folder or Hub id."""
    if re.fullmatch(r"\s*\w+\s*\(.*\)\s*", text) or text in catalog.names("encoder"):
        return catalog.parse("encoder", text)
    return Spec("", {"checkpoint": text})


def _from_scratch(spec: Spec, *, pooler: bool, seed: int):
    cls = catalog.find("encoder", spec.name)
    arguments = dict(spec.arguments)
    if "vocabulary" not in arguments:
        raise UserError(
            f"--encoder={spec.name} needs checkpoint='folder or Hub id', or vocabulary='vocab.txt' "
            "to start from scratch."
        )
    wordpiece = WordPiece.from_vocabulary(
        _vocabulary(arguments.pop("vocabulary")), lowercase=arguments.pop("lowercase", True)
    )
    encoder = catalog.construct(
        "encoder",
        cls,
        Spec(spec.name, arguments),
        vocabulary_size=len(wordpiece.vocabulary),
        pooler=pooler,
        initial="normal",
        seed=seed,
    )
    return encoder, wordpiece


def _vocabulary(name: str) -> pathlib.Path:
    """A vocab.txt, or the one of a bundled corpus by the corpus' name."""
    bundled = pathlib.Path(corpora.__file__).parent / str(name) / "vocab.txt"
    return bundled if bundled.is_file() else pathlib.Path(str(name))


def _recorded_labels(run_dir: pathlib.Path) -> tuple[str, ...]:
    path = run_dir / LABELS_FILE
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"--run_dir: {path} can't be read: {error}") from None


def _of_folder(folder: pathlib.Path, spec: Spec, *, pooler, load, seed=None):
    """The encoder and WordPiece of a Hugging Face folder; its model_type names the class."""
    huggingface = pretrained.read_config(folder)
    name = huggingface.get("model_type", "")
    if name not in catalog.names("encoder"):
        raise UserError(
            f"--encoder: {folder} holds a {name!r} model; there are: "
            f"{', '.join(catalog.names('encoder'))}."
        )
    if spec.name not in ("", name):
        raise UserError(f"--encoder={spec.name}(…): {folder} holds a {name!r} model.")
    overrides = {k: v for k, v in spec.arguments.items() if k != "checkpoint"}
    if load and (wrong := set(overrides) - set(DROPOUTS)):
        raise UserError(
            f"--encoder: a checkpoint decides {', '.join(sorted(wrong))}; beside checkpoint= only "
            f"{' and '.join(DROPOUTS)} can be set."
        )
    overrides = {k: v for k, v in overrides.items() if k in DROPOUTS}
    wordpiece = WordPiece.from_folder(folder)
    cls = catalog.find("encoder", name)
    try:
        settings = {**cls.settings(huggingface), **overrides}
        encoder = cls(**settings, pooler=pooler, initial="zeros", seed=seed)
    except (ValueError, TypeError) as error:
        raise UserError(f"--encoder: {folder}/config.json: {error}") from error
    if len(wordpiece.vocabulary) > encoder.vocabulary_size:
        raise UserError(
            f"--encoder: {folder} has a vocabulary of {len(wordpiece.vocabulary)} tokens and "
            f"weights for {encoder.vocabulary_size}; they are not of one checkpoint."
        )
    if load:
        for fresh in encoder.load(pretrained.read_tensors(folder), source=str(folder)):
            print(f"newly initialised, for the checkpoint does not hold it: {fresh}")
    return encoder, wordpiece
