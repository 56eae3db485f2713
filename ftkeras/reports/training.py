"""Describe a training run, before and after training."""

import pathlib
from collections.abc import Mapping, Sequence

from ftkeras.checkpoints.training_state import Position
from ftkeras.config.run import Config
from ftkeras.data.feed import TrainingFeed
from ftkeras.data.splits import Splits
from ftkeras.experiment import private
from ftkeras.experiment.definition import Experiment
from ftkeras.reports import exports
from ftkeras.support import plurals


def examples(splits: Splits, counts: Mapping[str, int]) -> str:
    """Return the number of examples in each split, with notes about rare classes and duplicates.

    Args:
        splits: of the run.
        counts: as `splits.counts()` returns them.
    """
    names = [name for name in ("train", "validation", "test") if name in counts]
    shown = [*names, *(name for name in ("unlabelled",) if name in counts)]
    lines = ["examples: " + ", ".join(f"{counts[name]:,} {name}" for name in shown)]
    for name in names:
        notes = splits.task.problem().imbalance(getattr(splits, name).targets)
        lines += [f"note: {name}: {note}" for note in notes]
    if shared := counts.get("in_train_and_validation"):
        texts = plurals.counted(shared, "text of validation is", "texts of validation are")
        lines.append(f"note: {texts} in train too, so that validation looks better than test")
    if shared := counts.get("in_train_and_test"):
        texts = plurals.counted(shared, "text of test is", "texts of test are")
        lines.append(f"note: {texts} in train or validation too")
    return "\n".join(lines)


def pseudo_labels(counts: Mapping[str, int], asked: int) -> str:
    """Return how many answers to unlabelled texts are trained on, by label.

    >>> pseudo_labels({"bad": 3, "good": 12}, 20)
    '15 of 20 answers are trained on as labels: 3 bad, 12 good'
    """
    each = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    taken = sum(counts.values())
    return f"{taken:,} of {asked:,} answers are trained on as labels: {each}"


def plan(experiment: Experiment, feed: TrainingFeed, position: Position) -> str:
    """Return the plan of a training: the model, its length, and where it starts.

    Args:
        experiment: compiled to train.
        feed: the batches to train on.
        position: where training starts.
    """
    config, model = experiment.config, experiment.model
    if position.epoch >= config.trained_epochs:
        return "training is complete; what is left is the evaluation"
    steps, tokens = len(feed) * config.trained_epochs, feed.tokens() * config.trained_epochs
    reads = f"{tokens:,} tokens" if tokens else "on features"
    lines = [
        f"{_count(model.weights):,} parameters ({_count(model.trainable_weights):,} trainable), "
        f"{steps:,} steps in {_epochs(config)}, {reads}; the first steps show how long it takes"
    ]
    if position != Position():
        lines.append(f"resuming at step {position.step + 1:,} of epoch {position.epoch + 1}")
    for group in model.optimizer.groups():
        decay = "with" if group.decays else "without"
        variables = plurals.counted(group.variables, "variable", "variables")
        verb = "trains" if group.variables == 1 else "train"
        lines.append(
            f"  {variables} ({group.parameters:,} parameters) {verb} at {group.multiplier:g} x the "
            f"learning rate, {decay} weight decay"
        )
    if frozen := [variable for variable in model.weights if not variable.trainable]:
        variables = plurals.counted(len(frozen), "variable", "variables")
        verb = "is" if len(frozen) == 1 else "are"
        lines.append(f"  {variables} ({_count(frozen):,} parameters) {verb} frozen")
    compiled = ", compiled by XLA" if model.jit_compile else ""
    lines.append(f"  steps compute in {config.precision}{compiled}")
    return "\n".join(lines)


def evaluating(config: Config) -> str:
    """Return which epoch is evaluated."""
    which = "best" if private.selects_by_validation(config) else "last"
    return f"evaluating the {which} epoch …"


def finished(run_dir: pathlib.Path, paths: Sequence[str], *, extensible: bool) -> str:
    """Return the next steps with a finished run, and where its exports are.

    Args:
        run_dir: its folder.
        paths: of its exports.
        extensible: whether its training state was kept.
    """
    further = "more `epochs` train it further, " if extensible else ""
    line = f"the run in {run_dir} is finished: {further}`restart` starts again"
    return "\n".join([line, *map(exports.line, paths)])


def _epochs(config: Config) -> str:
    planned = config.planned_epochs
    epochs = f"{planned} {'epoch' if planned == 1 else 'epochs'}"
    stops = config.trained_epochs < planned
    return f"the first {config.trained_epochs} of {epochs}" if stops else epochs


def _count(variables: Sequence) -> int:
    return sum(variable.shape.num_elements() for variable in variables)
