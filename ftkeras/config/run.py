"""What a run is told: one frozen dataclass, one field a flag, and the checks that need no data."""

import dataclasses
import math
from dataclasses import dataclass

from ftkeras.config.durations import checkpoint_interval, warmup_steps
from ftkeras.errors import UserError


def flag(default, group: str, help: str, free: bool = False):
    """A flag; a `free` one may be another when a stopped run is gone on with."""
    return dataclasses.field(default=default, metadata={"group": group, "help": help, "free": free})


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that decides a run; `run.cfg` in the run folder repeats it."""

    task: str = flag("imdb", "Data", "What to learn: {task}.")
    data_dir: str | None = flag(
        None,
        "Data",
        "Where the data lies. Default: TensorFlow Datasets' own folder; for your files, this one.",
    )
    train_examples: int | None = flag(
        None, "Data", "Use only so many training examples, drawn with --data_seed."
    )
    validation_examples: int | None = flag(None, "Data", "The same for the validation split.")
    test_examples: int | None = flag(None, "Data", "The same for the test split.")
    validation_share: float = flag(
        0.1, "Data", "Share of train held out where the task has no validation split; stratified."
    )
    train_on_validation: bool = flag(
        False,
        "Data",
        "Train on validation too; with nothing left to pick an epoch by, the last one is kept.",
    )
    cache_dir: str | None = flag(
        None,
        "Data",
        "Where token ids are kept from run to run; none for nowhere. Default: ftkeras in "
        "$XDG_CACHE_HOME or in ~/.cache.",
        free=True,
    )
    data_seed: int = flag(0, "Data", "Draws the validation split, the subsets and the folds.")
    folds: int | None = flag(
        None,
        "Data",
        "Cut the task's train and validation into so many folds, --train_examples of them.",
    )
    fold: int | None = flag(
        None, "Data", "The fold, from 0, that is validation; all others are trained on."
    )
    fold_repeat: int = flag(0, "Data", "Which drawing of the folds, from 0.")
    group_by: str | None = flag(
        None,
        "Data",
        "What no two folds share: {group_by}, or none. Default with --folds: near_duplicates.",
    )

    encoder: str = flag(
        "bert-base-uncased",
        "Model",
        "Pretrained: a folder or Hub id. From scratch: {encoder}(layers=4, hidden=256, heads=4, "
        "vocabulary='vocab.txt').",
    )
    head: str | None = flag(None, "Model", "On the encoder: {head}. Default: the task's own.")
    max_length: int = flag(256, "Model", "Tokens a text is cut to, [CLS] and [SEP] counted.")
    truncation: str = flag("head", "Model", "Which part of a long text stays: {truncation}.")

    epochs: int = flag(3, "Training", "Passes over the training split.", free=True)
    last_epoch: int | None = flag(
        None,
        "Training",
        "Train no further than this one of --epochs, by whose number the schedule goes on; the "
        "rest another time.",
        free=True,
    )
    batch_size: int | None = flag(
        None,
        "Training",
        "Examples an optimizer update, over all devices and machines. Default: 16, or with "
        "--batch_tokens as many as those hold.",
    )
    batch_tokens: int | None = flag(
        None,
        "Training",
        "Tokens an optimizer update at most, padding counted; with --batch_size too, both hold. "
        "Not with --batching=padded.",
    )
    accumulate: int = flag(
        1, "Training", "Micro-batches an update: a batch larger than memory, at the same result."
    )
    class_weights: str | None = flag(
        None,
        "Training",
        "Weights of the classes in the training loss: balanced, or {'label': weight, …}.",
    )
    oversample: bool = flag(
        False, "Training", "Repeat examples of the rarer classes until all are as frequent."
    )
    batching: str = flag("auto", "Training", "How examples become batches: {batching}.")
    precision: str = flag(
        "auto",
        "Training",
        "What training computes in: float32, mixed_bfloat16 or mixed_float16; weights, evaluation "
        "and exports are float32. Default: mixed_bfloat16 on a GPU or TPU, float32 on a CPU.",
    )
    jit_compile: str = flag(
        "auto",
        "Training",
        "Whether XLA compiles a step, anew for each shape: true or false. Default: on a GPU or "
        "TPU where all batches have one shape.",
    )
    remat: bool = flag(
        False,
        "Training",
        "Compute each layer's activations again in the backward pass instead of keeping them: less "
        "memory, for long texts or large batches, for a third more time.",
    )
    learning_rate: float = flag(3e-5, "Training", "The schedule's peak.")
    schedule: str = flag("linear", "Training", "Rate after the warm-up: {schedule}.")
    warmup: str | None = flag(
        None,
        "Training",
        "Updates of linear warm-up: a count (100) or a share of all (0.1). Default: 0.1, or 0 for "
        "a schedule that rises by itself.",
    )
    optimizer: str = flag("adamw", "Training", "How gradients become updates: {optimizer}.")
    clip_norm: float = flag(
        1.0, "Training", "Bound on the global norm of the gradients; 0 for none."
    )
    average: str | None = flag(
        None, "Training", "Average of the weights that is measured, kept and exported: {average}."
    )
    policy: tuple[str, ...] = flag(
        ("full",), "Training", "What trains, and how fast; repeatable: {policy}."
    )
    regularizer: tuple[str, ...] = flag(
        (), "Training", "Added to the training loss; repeatable: {regularizer}."
    )
    loss: str = flag("cross_entropy", "Training", "What is minimised: {loss}.")
    objective: str = flag(
        "accuracy", "Training", "Validation figure that picks the best epoch: accuracy or loss."
    )
    early_stopping: int | None = flag(
        None, "Training", "Stop after so many epochs without a better --objective.", free=True
    )
    seed: int = flag(0, "Training", "Draws new weights, dropout and the order of the examples.")
    strategy: str = flag(
        "auto", "Training", "On which devices and machines: {strategy}.", free=True
    )
    deterministic: bool = flag(
        True, "Training", "The same seed gives the same numbers twice on one machine."
    )

    on_nan: str = flag(
        "stop",
        "Training",
        "Where gradients are no numbers: stop, or skip, which counts them as 0.",
        free=True,
    )

    run_dir: str | None = flag(
        None,
        "Output",
        "The run's folder. A stopped run goes on where the same command names its folder again. "
        "Default: runs/<task>/<time>.",
        free=True,
    )
    restart: bool = flag(False, "Output", "Begin anew in a folder that holds a run.", free=True)
    checkpoint_every: str = flag(
        "10m",
        "Output",
        "Between two checkpoints: minutes (10m) or updates (500); 0 for none on the way.",
        free=True,
    )
    keep: int = flag(
        2,
        "Output",
        "Newest checkpoints to keep while training.",
        free=True,
    )
    keep_state: bool | None = flag(
        None,
        "Output",
        "Keep a finished run's training state, about three times the size of its weights, so that "
        "more --epochs can extend it. Default: only if --last_epoch ended it early.",
        free=True,
    )
    export: tuple[str, ...] = flag(
        ("saved_model",),
        "Output",
        "What to export, repeatable: {export}; none for nothing.",
        free=True,
    )
    test: bool = flag(
        True,
        "Output",
        "Measure the best epoch on test; with --notest that split is not even read.",
        free=True,
    )
    export_dir: str = flag("saved_models", "Output", "Where <task>/<version>/ goes.", free=True)
    tensorboard: bool = flag(
        False, "Output", "Write TensorBoard logs into the run folder.", free=True
    )
    debug: bool = flag(False, "Output", "Show tracebacks and TensorFlow's own messages.", free=True)

    def __post_init__(self):
        if self.batch_size is None and self.batch_tokens is None:
            object.__setattr__(self, "batch_size", DEFAULT_BATCH_SIZE)
        for name, least in _AT_LEAST.items():
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise UserError(f"`{name}` must be at least {least}. Received: {value}.")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if "\n" in "".join(value if isinstance(value, tuple) else str(value)):
                raise UserError(
                    f"`{field.name}` must not contain a line break. Received: {value!r}."
                )
        if not 0 < self.learning_rate < math.inf:
            raise UserError(f"`learning_rate` must be positive. Received: {self.learning_rate}.")
        for name in ("run_dir", "cache_dir"):
            if getattr(self, name) == "":
                raise UserError(f"`{name}` must name a folder. Received: ''.")
        if not 0 < self.validation_share < 1:
            raise UserError(
                f"`validation_share` must lie between 0 and 1. Received: {self.validation_share}."
            )
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UserError(
                    f"`{name}` must be {', '.join(choices[:-1])} or {choices[-1]}. "
                    f"Received: {getattr(self, name)!r}."
                )
        self._check_folds()
        self._check_validation()
        if self.warmup is not None:
            warmup_steps(self.warmup, total_steps=None)
        checkpoint_interval(self.checkpoint_every)

    def _check_folds(self) -> None:
        for name, default in (("fold", None), ("group_by", None), ("fold_repeat", 0)):
            value = getattr(self, name)
            if self.folds is None and value != default:
                raise UserError(f"{name}={value} needs `folds`, how many there are.")
        if self.fold is not None and self.fold >= self.folds:
            raise UserError(f"`fold` must be below folds={self.folds}. Received: {self.fold}.")

    def _check_validation(self) -> None:
        if not self.train_on_validation:
            return
        if self.early_stopping is not None:
            raise UserError(
                f"early_stopping={self.early_stopping} needs validation, which "
                "`train_on_validation` leaves nothing of; `last_epoch` ends training."
            )
        if not self.test:
            raise UserError("`train_on_validation` with `notest` leaves nothing to measure.")

    @property
    def trained_epochs(self) -> int:
        """Epochs to train, of those that the schedule is made for."""
        return min(self.epochs, self.last_epoch or self.epochs)

    @property
    def keeps_state(self) -> bool:
        """Return whether the training state stays when the run is finished."""
        if self.keep_state is None:
            return self.trained_epochs < self.epochs
        return self.keep_state

    @property
    def exports(self) -> tuple[str, ...]:
        """The exporters asked for; none where `--export=none` was given."""
        return tuple(spec for spec in self.export if spec != "none")


_AT_LEAST = {
    "train_examples": 2,
    "validation_examples": 2,
    "test_examples": 2,
    "max_length": 3,
    "accumulate": 1,
    "epochs": 1,
    "last_epoch": 1,
    "batch_size": 1,
    "batch_tokens": 1,
    "clip_norm": 0,
    "early_stopping": 1,
    "keep": 0,
    "seed": 0,
    "data_seed": 0,
    "folds": 2,
    "fold": 0,
    "fold_repeat": 0,
}


# Where neither --batch_size nor --batch_tokens is given.
DEFAULT_BATCH_SIZE = 16
_CHOICES = {
    "objective": ("accuracy", "loss"),
    "precision": ("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    "jit_compile": ("auto", "true", "false"),
    "on_nan": ("stop", "skip"),
}

# Where --warmup is not given, unless the schedule rises by itself.
DEFAULT_WARMUP = "0.1"
