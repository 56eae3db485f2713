"""The private API of Keras and TensorFlow that `keras_compat` uses, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Private:
    """A private attribute of Keras or TensorFlow, and why nothing public serves instead."""

    owner: str
    attribute: str
    reason: str


USED = (
    Private(
        "optimizer",
        "_backend_update_step",
        "`update_step` sees one variable at a time; clipping by the norm of the gradients summed "
        "over replicas needs all of them at once",
    ),
    Private(
        "optimizer",
        "_get_variable_index",
        "finds the moments of the variable that `update_step` is given, which may be the copy on "
        "one replica",
    ),
    Private(
        "optimizer",
        "_learning_rate",
        "`learning_rate` is the schedule's value at the current step, not the schedule",
    ),
    Private(
        "optimizer",
        "_get_current_learning_rate",
        "calls a schedule with the number of micro-batches, if it accumulates gradients, instead "
        "of updates",
    ),
    Private(
        "tensorflow.__internal__.distribute.interim",
        "maybe_merge_call",
        "updates mirrored variables once for all replicas, or at once where there is one replica",
    ),
    Private(
        "model",
        "_maybe_symbolic_build",
        "fails on PerReplica values under MultiWorkerMirroredStrategy (keras#20585)",
    ),
    Private(
        "model",
        "_make_function",
        "averages the replicas' averages, which is wrong where their parts of a batch differ in "
        "size, and reduces scalars over an axis (keras#20585)",
    ),
    Private(
        "model",
        "_distribute_strategy",
        "`distribute_strategy` does not tell whether the model was made under a strategy",
    ),
    Private(
        "model",
        "_compile_loss",
        "`compute_loss` also adds the penalties of layers, which count once however many passes "
        "there are",
    ),
    Private("model", "_flatten_layers", "`layers` lists only the outermost layers"),
    Private(
        "keras.src.backend.common.global_state",
        "get_global_attribute",
        "`keras.utils.set_random_seed` cannot be undone otherwise",
    ),
    Private("keras.src.backend.common.global_state", "set_global_attribute", "the same"),
    Private(
        "keras.src.backend.common.masking",
        "get_keras_mask",
        "no public function passes the mask of a model's outputs on to what is computed of them",
    ),
    Private("keras.src.backend.common.masking", "set_keras_mask", "the same"),
    Private(
        "model",
        "_jit_compile",
        "its setter refuses XLA under op determinism, although XLA's ops are deterministic",
    ),
    Private("model", "_initial_epoch", "how Keras's own BackupAndRestore has `fit` begin later"),
    Private(
        "model",
        "_symbolic_build",
        "Keras creates metrics in the first step; their values must be restored before it",
    ),
    Private(
        "model",
        "_get_metrics_result_or_logs",
        "an epoch that resumes after its last step has no step whose results it could report",
    ),
    Private(
        "keras.src.trainers.epoch_iterator.EpochIterator",
        "_enumerate_iterator",
        "yields an epoch's steps; an epoch that resumes begins with a later one",
    ),
    Private(
        "keras.src.trainers.epoch_iterator.EpochIterator",
        "_get_iterator",
        "returns the dataset that `fit` made of its arguments",
    ),
    Private("variable", "_autocast", "tells which variables stay float32 in mixed precision"),
    Private("tensorflow.data.Dataset", "_inputs", "finds batches, and a shuffle without a seed"),
    Private("tensorflow.data.Dataset", "_functions", "finds random numbers that have no seed"),
)
