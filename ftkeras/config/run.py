"""The configuration of a run: a dataclass with a field for each flag, and checks of its values."""

from dataclasses import dataclass
from typing import Literal

from ftkeras.config import combinations, fields
from ftkeras.config.durations import checkpoint_interval, warmup_steps
from ftkeras.config.fields import AUTO, flag
from ftkeras.config.privacy import Privacy


@dataclass(frozen=True, kw_only=True)
class Config(Privacy):
    """Everything that decides a run.

    The run's folder records it, as a flagfile.

    Raises:
        UserError: a value is out of bounds, or two values exclude each other.
    """

    data_dir: str | None = flag(
        None,
        "Data",
        "Folder of the data. Default: TensorFlow Datasets' own folder, or the current folder "
        "for your own files.",
        path=True,
    )
    train_examples: int | None = flag(
        None, "Data", "Train only on a random subset of this many examples; see `data_seed`."
    )
    validation_examples: int | None = flag(None, "Data", "The same for the validation split.")
    test_examples: int | None = flag(None, "Data", "The same for the test split.")
    test_share: float = flag(
        0.1, "Data", "Share of the examples to hold out for testing, if there is no test data."
    )
    validation_share: float = flag(
        0.1,
        "Data",
        "Share of train to hold out for validation, if the task has no validation split.",
    )
    train_on_validation: bool = flag(
        False,
        "Data",
        "Also train on the validation split. The last epoch is kept, because no data are left to "
        "choose an epoch.",
    )
    cache_dir: str | None = flag(
        None,
        "Data",
        "Folder for token ids, or none. Default: ftkeras in $XDG_CACHE_HOME or in ~/.cache.",
        free=True,
        path=True,
    )
    data_seed: int = flag(0, "Data", "Random seed of the validation split, subsets and folds.")
    folds: int | None = flag(
        None,
        "Data",
        "Divide train and validation, or `train_examples` of them, into this many folds.",
    )
    fold: int | None = flag(
        None, "Data", "The fold to validate on, counted from 0. The run trains on the others."
    )
    fold_repeat: int = flag(0, "Data", "Which division into folds to use, counted from 0.")
    group_by: str | None = flag(
        None,
        "Data",
        "Keep the examples of a group in one fold: {group_by}, or none. Default with `folds`: "
        "near_duplicates.",
    )

    encoder: str = flag(
        "bert-base-uncased",
        "Model",
        "A pretrained encoder, by its folder or Hugging Face Hub id; or a new one: "
        "{encoder}(layers=4, hidden=256, heads=4, vocabulary='vocab.txt').",
        path=True,
    )
    head: str | None = flag(
        None, "Model", "Layers on the encoder: {head}, checkpoint or new. Default: the task's own."
    )
    max_length: int = flag(
        256,
        "Model",
        "Maximum number of tokens per text, including [CLS] and [SEP]. Longer texts are cut.",
    )
    truncation: str | None = flag(
        None, "Model", "How longer texts are cut: {truncation}. Default: the task's own."
    )

    epochs: int | Literal["auto"] = flag(
        AUTO, "Training", "Passes over the training data; auto: more for few examples.", free=True
    )
    pretrain_epochs: int | None = flag(
        None,
        "Training",
        "Pretrain the encoder first, with this many passes over the task's texts; see pretrain.",
    )
    last_epoch: int | None = flag(
        None,
        "Training",
        "Stop after this epoch, with the schedule of all `epochs`; later commands train the rest.",
        free=True,
    )
    batch_size: int | None = flag(
        None,
        "Training",
        "Examples per optimizer update, over all devices and machines. Default: 16, or as many "
        "as `batch_tokens` allows.",
    )
    batch_tokens: int | None = flag(
        None,
        "Training",
        "Maximum number of tokens per optimizer update, including padding. With `batch_size`, both "
        "limits apply. Not for `batching`=padded.",
    )
    accumulate: int = flag(
        1,
        "Training",
        "Number of micro-batches per update, for batches that do not fit into memory. The result "
        "is the same.",
    )
    class_weights: str | None = flag(
        None,
        "Training",
        "Weights of the classes in the training loss: balanced, or {'label': weight, …}.",
    )
    oversample: bool = flag(
        False,
        "Training",
        "Repeat examples of rarer classes until all classes are equally frequent.",
    )
    batching: str = flag("auto", "Training", "How examples are grouped into batches: {batching}.")
    precision: str = flag(
        "auto",
        "Training",
        "Data type of training: float32, mixed_bfloat16, mixed_float16, or auto. auto is "
        "mixed_bfloat16 on a GPU or TPU, and on a CPU where it is faster; otherwise float32. "
        "Weights and the final evaluation are float32, and so are exports unless `export` says "
        "otherwise; the validation after each epoch uses this type.",
    )
    jit_compile: str = flag(
        "auto",
        "Training",
        "Compile training steps with XLA: true, false, or auto. auto is true on a GPU or TPU if "
        "all batches have one shape, because each shape is compiled separately.",
    )
    remat: bool = flag(
        False,
        "Training",
        "Recompute each layer's activations in the backward pass instead of storing them. This "
        "needs less memory for long texts or large batches, and up to a third more time.",
    )
    learning_rate: float | Literal["auto"] = flag(
        AUTO,
        "Training",
        "Peak learning rate. auto depends on the encoder's width, `policy` and batch size.",
    )
    schedule: str = flag("linear", "Training", "Learning rate after the warm-up: {schedule}.")
    warmup: str | None = flag(
        None,
        "Training",
        "Number of updates of linear warm-up (100), or their share of the run (0.1). Default: 0.1, "
        "or 0 for a schedule that has its own rise.",
    )
    optimizer: str = flag("adamw", "Training", "Optimizer: {optimizer}.")
    clip_norm: float = flag(
        1.0,
        "Training",
        "Clip gradients to this global norm (Keras's global_clipnorm). 0 turns clipping off.",
    )
    average: str | None = flag(
        None,
        "Training",
        "Average the weights during training; the average is evaluated and exported: {average}.",
    )
    policy: tuple[str, ...] = flag(
        (),
        "Training",
        "Which weights train, and with which learning rates (not the dtype policy, which is "
        "`precision`): {policy}. Repeatable. Default: full, or head_only with `few_shot`.",
    )
    regularizer: tuple[str, ...] = flag(
        (), "Training", "Regularization of training: {regularizer}. Repeatable."
    )
    loss: str = flag(None, "Training", "Training loss: {loss}. Default: the task's.")
    objective: str = flag(
        None, "Training", "Validation metric that selects the best epoch. Default: the task's."
    )
    early_stopping: int | None = flag(
        None, "Training", "Stop after this many epochs without a better `objective`.", free=True
    )
    evaluate_every: int | None = flag(
        None,
        "Training",
        "Also validate within epochs, every so many updates; the best weights may come from there.",
    )
    seed: int = flag(
        0, "Training", "Random seed of new weights, dropout and the order of the examples."
    )
    strategy: str = flag(
        "auto", "Training", "Devices and machines to train on: {strategy}.", free=True
    )
    deterministic: bool = flag(
        True, "Training", "Make runs with the same seed identical on the same machine."
    )
    on_nan: str = flag(
        "stop",
        "Training",
        "What to do if gradients are not finite: stop, or skip the update.",
        free=True,
    )

    name: str | None = flag(
        None,
        "Output",
        "Folder name for runs and exports. Default: the name of the data's file, or the task.",
    )
    run_dir: str | None = flag(
        None,
        "Output",
        "Folder of the run. To resume an interrupted run, repeat the command with its folder. "
        "Default: runs/<name>/<time>.",
        free=True,
        path=True,
    )
    restart: bool = flag(
        False, "Output", "Start from the beginning in a folder that contains a run.", free=True
    )
    checkpoint_every: str = flag(
        "10m",
        "Output",
        "Interval of checkpoints: minutes (10m) or updates (500). 0: only at the end.",
        free=True,
    )
    keep: int = flag(2, "Output", "Number of the newest checkpoints to keep.", free=True)
    keep_state: bool | None = flag(
        None,
        "Output",
        "Keep a finished run's training state, about three times the size of its weights, so that "
        "more `epochs` can extend it. Default: only if `last_epoch` ended it early.",
        free=True,
    )
    export: tuple[str, ...] = flag(
        ("saved_model",),
        "Output",
        "Formats to export: {export}; or none, which revokes those before it. Repeatable.",
        free=True,
    )
    test: bool = flag(
        True,
        "Output",
        "Evaluate the best epoch on test. With `notest`, the test data is not read.",
        free=True,
    )
    calibrate: bool = flag(
        False, "Output", "Calibrate probabilities on validation. Labels do not change.", free=True
    )
    report: bool = flag(
        True, "Output", "Write report.html about the test split. Needs ftkeras[report].", free=True
    )
    export_dir: str = flag(
        "saved_models",
        "Output",
        "Folder for exports, which are written to <name>/<version> in it.",
        free=True,
        path=True,
    )
    force: bool = flag(
        False,
        "Output",
        "Export a new version even if its outputs, labels or inputs differ from the newest one's.",
        free=True,
    )
    track: tuple[str, ...] = flag(
        (), "Output", "Where to record metrics while training: {track}. Repeatable.", free=True
    )
    tensorboard: bool = flag(False, "Output", "The same as `track`=tensorboard.", free=True)
    debug: bool = flag(False, "Output", "Show tracebacks and TensorFlow's own messages.", free=True)

    def __post_init__(self):
        super().__post_init__()
        self._use_own_data()
        combinations.use_defaults_of_problem(self)
        if self.batch_size is None and self.batch_tokens is None:
            object.__setattr__(self, "batch_size", DEFAULT_BATCH_SIZE)
        fields.check_at_least(self, **_AT_LEAST)
        fields.check_at_most(self, seed=fields.LARGEST_SEED)
        fields.check_positive(self, "learning_rate")
        fields.check_texts(self, folders=("run_dir", "cache_dir"), name="name")
        fields.check_shares(self, "test_share", "validation_share")
        fields.check_choices(self, **_CHOICES)
        combinations.check(self)
        if self.warmup is not None:
            warmup_steps(self.warmup, total_steps=None)
        checkpoint_interval(self.checkpoint_every)

    @property
    def trained_epochs(self) -> int:
        """Return the number of epochs to train; the schedule may be made for more."""
        return min(self.planned_epochs, self.last_epoch or self.planned_epochs)

    @property
    def planned_epochs(self) -> int:
        """Return `epochs` as a number.

        Raises:
            ValueError: it is still auto, because the run has not read its data yet.
        """
        if self.epochs == AUTO:
            raise ValueError("`epochs` is auto and has not been chosen yet")
        return self.epochs

    @property
    def keeps_state(self) -> bool:
        """Return whether the training state stays when the run is finished."""
        if self.keep_state is None:
            return self.trained_epochs < self.planned_epochs
        return self.keep_state

    @property
    def exports(self) -> tuple[str, ...]:
        """Return the exporters to use; export=none revokes those before it."""
        return fields.after_none(self.export)

    @property
    def trackers(self) -> tuple[str, ...]:
        """Return the trackers to use, each once; track=none revokes those before it."""
        specs = [*fields.after_none(self.track), *(["tensorboard"] if self.tensorboard else [])]
        return tuple(dict.fromkeys(specs))


_AT_LEAST = {
    "max_length": 3,
    **dict.fromkeys(("early_stopping", "evaluate_every", "pretrain_epochs"), 1),
    **dict.fromkeys(("train_examples", "validation_examples", "test_examples", "folds"), 2),
    **dict.fromkeys(("accumulate", "epochs", "last_epoch", "batch_size", "batch_tokens"), 1),
    **dict.fromkeys(("clip_norm", "keep", "seed", "data_seed", "fold", "fold_repeat"), 0),
}

# Used if neither `batch_size` nor `batch_tokens` is given.
DEFAULT_BATCH_SIZE = 16
_CHOICES = {
    "precision": ("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    "jit_compile": ("auto", "true", "false"),
    "on_nan": ("stop", "skip"),
}

# Used if `warmup` is not given, unless the schedule has a rise of its own.
DEFAULT_WARMUP = "0.1"
