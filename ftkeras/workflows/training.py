"""Fine-tune an encoder, evaluate the best epoch, and export it."""

import logging
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from ftkeras.config.run import Config
from ftkeras.data.feed import TrainingFeed
from ftkeras.data.splits import Splits, open_splits
from ftkeras.data.summary import summarize_splits
from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.experiment import (
    auto,
    build,
    classifier,
    evaluation,
    exports,
    feeds,
    fit,
    inferred_task,
    optimization,
    private,
    run_folder,
    tracking,
)
from ftkeras.experiment.definition import Experiment
from ftkeras.pages import run_view
from ftkeras.pages.report import write_if_installed
from ftkeras.pages.split_texts import SplitTexts
from ftkeras.privacy import in_words
from ftkeras.reports import advice
from ftkeras.reports import data as data_report
from ftkeras.reports import metrics as metrics_report
from ftkeras.reports import training as training_report
from ftkeras.runs import folder, inputs, metrics
from ftkeras.teachers import pseudo_labels, states, teacher_answers
from ftkeras.teachers.unlabelled import open_unlabelled
from ftkeras.workflows import exporting

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedRun:
    """A finished run: its folder, what metrics.json has, and where the exports are."""

    run_dir: pathlib.Path
    metrics: dict
    exports: tuple[pathlib.Path, ...] = ()


def run(
    config: Config,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    taught_by: Sequence[str] = (),
    about: Mapping[str, Any] | None = None,
) -> TrainedRun:
    """Train from the start, or resume an interrupted run; then evaluate and export.

    Args:
        config: the run's.
        callbacks: called while it trains, after the run's own callbacks.
        taught_by: the folder of the run whose answers are pseudo-labels, in a round of
            `self_training`.
        about: further entries of metrics.json under "train".

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    config = inferred_task.resolve(config)
    run_dir = folder.choose(config)
    config = folder.adopt(config, run_dir)
    tracking.build(config, run_dir)  # so that a tracker that is not installed is refused at once
    folder.check_resumable(config, run_dir)
    if folder.is_finished(config, run_dir):
        return _finished(config, run_dir)
    if not config.restart:
        inputs.check_unchanged(config, run_dir)
    experiment = build.experiment(config)
    run_dir = run_folder.agree(experiment, run_dir)
    exports.build_exporters(experiment, run_dir)  # so that they refuse before the data is read
    teachers = teacher_answers.open_teachers(experiment, taught_by)
    states.hand_over(experiment, teachers)
    unlabelled = open_unlabelled(config, experiment.task) if teachers else None
    splits_of_run = open_splits(config, experiment.task, experiment.text_layer, unlabelled)
    with run_folder.lock(experiment, run_dir), splits_of_run as splits:
        read = _read(experiment, splits)
        key = private.open_key(experiment, run_dir)
        answers = teacher_answers.learn(experiment, splits, teachers)
        if answers is not None and taught_by:
            feed = _with_pseudo_labels(experiment, splits, answers, read)
        else:
            feed = feeds.training_feed(experiment, splits, answers, key=key)
        classifier.start_bias(experiment, splits.train.targets)
        fit.check_evaluations(config, feed)
        experiment = auto.settle(experiment, examples=len(feed.examples), updates=len(feed))
        exporters, config = exports.build_exporters(experiment, run_dir), experiment.config
        read["train"] = about or {}
        measured = _train(experiment, feed, splits, read, run_dir, callbacks, key)
        if not experiment.devices.is_chief:
            return TrainedRun(run_dir, measured)
        _report(experiment, measured, run_dir)
        written = exporting.write(config.exports, exporters)
        _finish(experiment, run_dir, written)
        if config.report and "test" in measured:
            write_if_installed(run_view.read(run_dir, SplitTexts(splits)))
    return TrainedRun(run_dir, measured, tuple(written))


def _finished(config: Config, run_dir: pathlib.Path) -> TrainedRun:
    """Return a run that had finished before, and report that there is nothing to do."""
    paths = folder.read_exports(run_dir)
    extensible = config.self_training is None and folder.is_extensible(run_dir)
    log.info(training_report.finished(run_dir, paths, extensible=extensible))
    return TrainedRun(run_dir, metrics.read_metrics(run_dir), tuple(map(pathlib.Path, paths)))


def _finish(experiment: Experiment, run_dir: pathlib.Path, written: list[pathlib.Path]) -> None:
    """Record that the run is finished, and delete what only an unfinished one needs."""
    folder.record_exports(run_dir, written)
    run_folder.log_training(experiment, run_dir, written)
    keeps_state = experiment.config.keeps_state
    fit.checkpoints(experiment.config, run_dir).prune(int(keeps_state))
    if not keeps_state:
        private.delete_key(run_dir)


def _report(experiment: Experiment, measured: dict, run_dir: pathlib.Path) -> None:
    """Report the metrics, and what they suggest."""
    log.info("\n%s", metrics_report.table(measured, experiment.problem))
    if "privacy" in measured:
        log.info("\n%s", in_words(measured["privacy"]))
    if notes := advice.text(experiment.config, measured, experiment.problem, run_dir):
        log.info(f"\n{notes}")  # not as an argument, so that its arguments become flags
    log.info(f"\nrun     {run_dir}")


def _read(experiment: Experiment, splits: Splits) -> dict:
    """Read the data and report it; return what metrics.json has about it."""
    counts = splits.counts()
    read = summarize_splits(splits, experiment.text_layer.tokenizer)
    log.info("%s", data_report.text(experiment.task, read, experiment.config.max_length))
    log.info(training_report.examples(splits, counts))
    if replaced := splits.redacted():
        log.info("%s", data_report.redacted(replaced))
        read = {name: {**about, "redacted": replaced[name]} for name, about in read.items()}
    return {"data": counts, "read": read, "versions": metrics.versions()}


def _with_pseudo_labels(
    experiment: Experiment, splits: Splits, answers: TeacherAnswers, read: dict
) -> TrainingFeed:
    """Return the batches of a round of self-training; report the labels, and add them to `read`."""
    labels = pseudo_labels.add(experiment, splits, answers)
    log.info("%s", training_report.pseudo_labels(labels.counts, labels.asked))
    read["data"]["pseudo_labels"] = labels.counts
    return feeds.training_feed(experiment, splits, train=labels.train)


def _train(
    experiment: Experiment,
    feed: TrainingFeed,
    splits: Splits,
    read: dict,
    run_dir: pathlib.Path,
    callbacks: Sequence[keras.callbacks.Callback],
    key: bytes,
) -> dict:
    """Train and evaluate; return the metrics, together with what `_read` returned."""
    steps, fixed = len(feed) * experiment.config.planned_epochs, feed.batching.fixed_shape
    mechanism = private.mechanism(experiment, examples=len(splits.train), steps=steps, key=key)
    optimization.compile_to_train(
        experiment, total_steps=steps, fixed_shape=fixed, private=mechanism
    )
    run_folder.record(experiment, run_dir)  # only now, so that a refused run leaves nothing behind
    private.keep_key(experiment, run_dir, key)
    training = fit.Fit(experiment, feed, splits, run_dir, callbacks)
    log.info(training_report.plan(experiment, training.feed, training.position))
    measured = {**read, "train": {**training.run(), **read["train"]}}
    if mechanism is not None:
        measured["privacy"] = mechanism.report(measured["train"]["steps"])
    run_folder.write_metrics(experiment, run_dir, measured)
    log.info(training_report.evaluating(experiment.config))
    try:
        measured = {**evaluation.evaluate(experiment, splits, run_dir), **measured}
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Training is done; {fit.how_to_evaluate(run_dir)}") from None
    run_folder.write_metrics(experiment, run_dir, measured)
    return measured
