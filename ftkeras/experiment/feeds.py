"""Turn a run's examples into batches."""

import logging
from dataclasses import replace

import numpy as np

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.data.batching import Batching
from ftkeras.data.examples import Examples
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.data.masker import Masker
from ftkeras.data.splits import Splits
from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.errors import UserError
from ftkeras.experiment import private
from ftkeras.experiment.definition import Experiment
from ftkeras.statistics import imbalance

log = logging.getLogger(__name__)


def batching(config: Config, *, pad_id: int, parts: int = 1) -> Batching:
    """Build the batching of a run.

    Args:
        config: the run's.
        pad_id: the id of the padding token.
        parts: into how many equal parts each batch is split: one for each replica and micro-batch.
    """
    named = [(spec, catalog.parse("regularizer", spec).name) for spec in config.regularizer]
    row_parts = [
        f"regularizer={spec}" for spec, name in named if catalog.find("regularizer", name).by_row
    ]
    if config.private is not None:
        row_parts.append(f"private={config.private}")
    task = catalog.parse("task", config.task).name
    if "packed" in catalog.find("task", task).problem_class.batchings:
        row_parts.append(f"task={task}")
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


def masker(experiment: Experiment) -> Masker | None:
    """Build what chooses the tokens to predict, if these are the answers."""
    if experiment.problem.masking is None:
        return None
    masking = catalog.build("masking", experiment.problem.masking)
    pieces = experiment.text_layer.tokenizer.pieces()
    return Masker(masking, pieces, seed=experiment.config.seed)


def ordered_feed(experiment: Experiment, examples: Examples) -> OrderedFeed:
    """Return the batches to evaluate examples on."""
    made = batching(experiment.config, pad_id=experiment.model.pad_id)
    masks = masker(experiment)
    if masks is not None:
        masks.check(examples)
    layout = {"by_text": experiment.model.head.whole_texts, "masker": masks}
    return OrderedFeed(examples, made, experiment.problem.collate, **layout)


def training_feed(
    experiment: Experiment,
    splits: Splits,
    teacher: TeacherAnswers | None = None,
    *,
    train: Examples | None = None,
    key: bytes = b"",
) -> TrainingFeed:
    """Return the batches to train on, with class weights and oversampling if they are asked for.

    Args:
        experiment: the run's.
        splits: of the run.
        teacher: answers to the texts of `splits.with_unlabelled(splits.train)`, as `activate` gives
            them; None if there is no teacher.
        train: the examples to train on; None for `splits.train`.
        key: the secret of a private run, which determines its samples.
    """
    config, problem = experiment.config, experiment.problem
    parts = config.accumulate * experiment.devices.replicas
    made = batching(config, pad_id=experiment.model.pad_id, parts=parts)
    if made.choice:
        log.info(f"batching={config.batching}: {made.choice}")
    train = splits.train if train is None else train
    if config.oversample:
        train = _oversampled(experiment, train)
    _fit_problem(experiment, train)
    weights = None
    if config.class_weights is not None:
        weights = problem.weigh(config.class_weights, train.targets)
    if teacher is not None:
        train, weights = _taught(experiment, splits, train, weights, teacher)
    sampling = private.sampling(experiment, train, key)
    if sampling is None:  # otherwise an example is the mean over its own rows
        weights = train.row_weights(weights)
    return TrainingFeed(
        train.by_row(),
        made,
        seed=config.seed,
        collate=problem.collate,
        weights=weights,
        by_text=experiment.model.head.whole_texts,
        masker=masker(experiment),
        sampling=sampling,
    )


def _oversampled(experiment: Experiment, train: Examples) -> Examples:
    """Return the examples, with those of rarer classes repeated.

    Raises:
        UserError: if an example has no single class.
    """
    classes = experiment.problem.single_class(train.targets)
    if classes is None:
        raise UserError(
            "`oversample` needs one class for each example, which a "
            f"{experiment.problem.kind} does not have."
        )
    return train.select(imbalance.oversample(classes, seed=experiment.config.data_seed))


def _fit_problem(experiment: Experiment, train: Examples) -> None:
    """Fit the problem to the targets; a private run may not learn anything from them."""
    before = experiment.problem.state()
    experiment.problem.fit(train.targets)
    private.check_learned(experiment, before)


def _taught(
    experiment: Experiment,
    splits: Splits,
    train: Examples,
    weights: np.ndarray | None,
    teacher: TeacherAnswers,
) -> tuple[Examples, np.ndarray | None]:
    """Return the examples to train on with a teacher's answers, and their weights in the loss.

    Unlabelled texts follow the others.
    """
    targets = experiment.problem.soft_targets(teacher.values)
    examples = splits.with_unlabelled(train)
    if weights is not None:  # those of unlabelled texts are not used
        weights = np.append(weights, np.ones(len(examples) - len(train), np.float32))
    if (shares := examples.row_weights()) is not None and examples.windows is not None:
        of_windows = np.zeros(len(examples.windows.texts), np.float32)
        of_windows[examples.windows.numbers(examples.rows)] = shares
        teacher = replace(teacher, weights=of_windows)
    return replace(examples, teacher=replace(teacher, values=targets)), weights
