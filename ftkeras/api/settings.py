"""The arguments of `train`, `report`, `crossvalidate` and `tune`, for editors and type checkers.

They are the flags of the verbs; a test compares them.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

# A file, folder or pattern, or several; or examples in memory, as `api.data` describes them.
Data = Any
Column = str | int
Columns = Column | Sequence[Column]


class TrainSettings(TypedDict, total=False):
    """The arguments of `train`: its flags without `data`, and shorter names for data."""

    train: Data
    validation: Data
    test_data: Data
    validation_data: Data
    text_column: Columns | None
    pair_column: Column | None
    label_column: Columns | None
    label_names: str | Sequence[str] | Mapping[str, str] | None
    label_separator: str | None
    header: bool | None
    delimiter: str | None
    encoding: str | None
    task: str | None
    redact: str | None
    data_dir: str | os.PathLike[str] | None
    train_examples: int | None
    validation_examples: int | None
    test_examples: int | None
    test_share: float | None
    validation_share: float | None
    train_on_validation: bool | None
    cache_dir: str | os.PathLike[str] | None
    data_seed: int | None
    folds: int | None
    fold: int | None
    fold_repeat: int | None
    group_by: str | None
    encoder: str | os.PathLike[str] | None
    head: str | None
    max_length: int | None
    truncation: str | None
    epochs: int | Literal["auto"] | None
    pretrain_epochs: int | None
    last_epoch: int | None
    batch_size: int | None
    batch_tokens: int | None
    accumulate: int | None
    class_weights: str | Mapping[str, float] | None
    oversample: bool | None
    batching: str | None
    precision: str | None
    jit_compile: bool | str | None
    remat: bool | None
    learning_rate: float | Literal["auto"] | None
    schedule: str | None
    warmup: str | float | None
    optimizer: str | None
    clip_norm: float | None
    average: str | None
    policy: str | Sequence[str] | None
    private: str | None
    canaries: int | None
    regularizer: str | Sequence[str] | None
    teacher: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None
    few_shot: str | None
    self_training: str | None
    unlabelled: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None
    loss: str | None
    objective: str | None
    early_stopping: int | None
    evaluate_every: int | None
    seed: int | None
    strategy: str | None
    deterministic: bool | None
    on_nan: str | None
    name: str | None
    run_dir: str | os.PathLike[str] | None
    restart: bool | None
    checkpoint_every: str | int | None
    keep: int | None
    keep_state: bool | None
    export: str | Sequence[str] | None
    test: bool | Data
    calibrate: bool | None
    report: bool | None
    export_dir: str | os.PathLike[str] | None
    force: bool | None
    track: str | Sequence[str] | None
    tensorboard: bool | None
    debug: bool | None


class ReportSettings(TrainSettings, total=False):
    """The arguments of `report`."""

    texts: bool | None
    baseline: str | None
    slices: str | Sequence[str] | None
    slice: str | Sequence[str] | None
    explanations: int | None


class CrossvalidateSettings(TrainSettings, total=False):
    """The arguments of `crossvalidate`."""

    repeats: int | None
    parallel: int | None
    keep_weights: bool | None


class TuneSettings(TrainSettings, total=False):
    """The arguments of `tune`."""

    search: str | Sequence[str] | Mapping[str, str] | None
    oracle: str | None
    max_trials: int | None
    max_hours: float | None
    executions_per_trial: int | None
    retrain: bool | None
    search_dir: str | os.PathLike[str] | None


class PretrainSettings(TrainSettings, total=False):
    """The arguments of `pretrain`."""

    masking: str | None
    vocabulary_size: int | None
