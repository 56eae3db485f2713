"""Fine-tunes: train, keep the best epoch, evaluate it on test, export it."""

import contextlib
import importlib.util
import logging
import pathlib
import signal
from collections.abc import Iterator

import keras

from ftkeras.checkpoints.training_state import Checkpoints, Place
from ftkeras.config.durations import checkpoint_interval
from ftkeras.config.run import Config
from ftkeras.data import imbalance
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.data.splits import Splits, open_splits
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import build, definition, evaluation, features, feeds, optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout
from ftkeras.runs import metrics as report
from ftkeras.training import epochs, stopping, weights
from ftkeras.training.best import BestEpoch
from ftkeras.training.checkpointer import Checkpointer
from ftkeras.training.finite import Finite
from ftkeras.training.history import History
from ftkeras.training.progress import Progress
from ftkeras.training.same_data import SameData
from ftkeras.verbs import export

log = logging.getLogger(__name__)


def run(config: Config) -> None:
    """`train`: a whole run, from the data to the export, or what is left of one that stopped."""
    run_dir = run_folder.of(config)
    if config.tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise UserError("--tensorboard needs: pip install 'ftkeras[tensorboard]'")
    run_folder.must_fit(config, run_dir)
    if run_folder.is_finished(config, run_dir):
        _say_finished(run_dir)
        return
    experiment = build.experiment(config)
    # Where none was named, each worker has made up a name of its own.
    run_dir = pathlib.Path(experiment.devices.from_chief(str(run_dir).encode()).decode())
    writers = export.exporters(experiment, run_dir)
    with (
        _held(experiment, run_dir),
        open_splits(config, experiment.task, experiment.text_layer) as splits,
    ):
        measured = _run(experiment, splits, run_dir)
        if not experiment.devices.is_chief:
            return
        report.show_metrics(measured, experiment.labels)
        log.info(f"\nrun     {run_dir}")
        run_folder.record_exports(run_dir, export.write(writers))
        _checkpoints(config, run_dir).prune(min(config.keep, 1))


def _run(experiment: Experiment, splits: Splits, run_dir: pathlib.Path) -> dict:
    """Trains and measures; returns what metrics.json says."""
    config, chief = experiment.config, experiment.devices.is_chief
    counts = _show_splits(splits)
    feed = feeds.training_feed(experiment, splits)
    optimization.compile_to_train(
        experiment,
        total_steps=len(feed) * config.epochs,
        fixed_shape=feed.batching.fixed_shape,
    )
    if chief:  # nothing is written before all that can be wrong was looked at
        run_folder.record(
            run_dir,
            config,
            labels=experiment.labels,
            tokenizer=experiment.text_layer.wordpiece,
            encoder_config=experiment.model.encoder.huggingface_config(),
        )
    trained = fit(experiment, feed, splits, run_dir)
    metrics = {"train": trained, "data": counts, "versions": report.versions()}
    if chief:
        report.write_metrics(run_dir, metrics)
    log.info(f"evaluating the {'last' if config.train_on_validation else 'best'} epoch …")
    try:
        measured = evaluation.evaluate(experiment, splits, run_dir)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Training is done; {_measure_it_with(run_dir)}") from None
    metrics = {**measured, **metrics}
    if chief:
        report.write_metrics(run_dir, metrics)
    return metrics


@contextlib.contextmanager
def _held(experiment: Experiment, run_dir: pathlib.Path) -> Iterator[None]:
    """Holds the run's folder, for all workers together."""
    with contextlib.ExitStack() as stack:
        if experiment.devices.is_chief:
            folder = run_folder.held(run_dir, restart=experiment.config.restart)
            stack.enter_context(folder)
        stack.enter_context(experiment.devices.quiet_beside_chief())
        stack.enter_context(experiment.devices.together())
        experiment.devices.from_chief(b"held")  # nobody looks into the folder before it is tidy
        yield


def fit(experiment: Experiment, feed: TrainingFeed, splits: Splits, run_dir: pathlib.Path) -> dict:
    """Trains from where the run's folder says it was, and leaves the best epoch's weights.

    Returns:
        What metrics.json says under "train".
    """
    config, model, chief = experiment.config, experiment.model, experiment.devices.is_chief
    rate = model.optimizer._learning_rate
    checkpoints = _checkpoints(config, run_dir)
    begin = checkpoints.newest()
    place = begin.place if begin else Place()
    used = [feed]
    if splits.validation is not None:
        used.append(OrderedFeed(splits.validation, feed.batching))
    reading = {}
    if place.epoch < config.trained_epochs:
        used, reading = features.read_once(experiment, used, splits.folder)
    feed, validation = used[0], used[1] if len(used) > 1 else None
    finite, progress = Finite(), Progress(feed, epochs=config.trained_epochs)
    history = History(run_dir / layout.HISTORY if chief else None)
    best = BestEpoch(
        checkpoints.folder,
        objective=config.objective,
        patience=config.early_stopping,
        judges=not config.train_on_validation,
        writes=chief,
    )
    callbacks = [
        *(SameData(feed), finite, history, best, progress),
        *(c for policy in experiment.policies for c in policy.callbacks(model)),
        *optimization.average_callbacks(config),
        *_tensorboard(config, run_dir),
        # Last, so that the others still see the rate that the epoch was trained with.
        *optimization.schedule_callbacks(rate),
    ]
    every, in_seconds = checkpoint_interval(config.checkpoint_every)
    with stopping.put_off() as asked:
        keeper = Checkpointer(
            checkpoints if chief else None,
            every=every,
            in_seconds=in_seconds,
            callbacks=callbacks,
            others=[*model.regularizers, *optimization.stateful_schedules(rate)],
            asked=asked,
            agreed=experiment.devices.agreed,
            check=finite.check,
            forget=best.forget,
            begin=begin,
        )
        _announce(experiment, feed, place)
        try:
            if not best.ends_training(place, epochs=config.trained_epochs):
                epochs.fit(
                    model,
                    feed,
                    epochs=config.trained_epochs,
                    validation=validation,
                    callbacks=[*callbacks, keeper],
                    epoch=place.epoch,
                    start=place.step,
                )
        except Stopped as stopped:
            progress.close()
            if stopped.signal == signal.SIGINT:  # who stops it by hand may want to look at it
                _settle(experiment, best, run_dir)
            raise Stopped(stopped.signal, _how_to_go_on(stopped, best, run_dir)) from None
    _settle(experiment, best, run_dir)
    return {
        "seconds": sum(row["seconds"] for row in history.rows)
        + reading.get("seconds_for_features", 0.0),
        **progress.figures(),
        **reading,
        "steps": int(model.optimizer.iterations.numpy()) or begin.updates,
        "best_epoch": best.epoch + 1,
        "peak_memory_bytes": report.peak_memory_bytes(),
    }


def _checkpoints(config: Config, run_dir: pathlib.Path) -> Checkpoints:
    return Checkpoints(run_dir / layout.CHECKPOINTS, keep=max(1, config.keep))


def _settle(experiment: Experiment, best: BestEpoch, run_dir: pathlib.Path) -> None:
    """Leaves the model plain, with the best epoch's weights, and keeps just those."""
    if best.epoch is None:
        return
    best.restore(experiment.model)
    for policy in reversed(experiment.policies):
        policy.finish(experiment.model)
    experiment.model.compute_in_float32()
    if experiment.devices.is_chief:
        weights.save(experiment.model.kept, run_dir / layout.WEIGHTS)


def _show_splits(splits: Splits) -> dict[str, int]:
    """Prints and returns how many examples there are, and what is odd about them."""
    counts = splits.counts()
    names = [name for name in ("train", "validation", "test") if name in counts]
    log.info("examples: " + ", ".join(f"{counts[name]:,} {name}" for name in names))
    for name in names:
        for warning in imbalance.rare_class_warnings(
            getattr(splits, name).labels, splits.task.labels
        ):
            log.info(f"note: {name}: {warning} (see `class_weights` and `oversample`)")
    if shared := counts.get("in_train_and_test"):
        stand = "text of test stands" if shared == 1 else "texts of test stand"
        log.info(f"note: {shared:,} {stand} in train or validation too")
    return counts


def _announce(experiment: Experiment, feed: TrainingFeed, place: Place) -> None:
    config, model = experiment.config, experiment.model
    size = sum(v.shape.num_elements() for v in model.weights)
    learning = sum(v.shape.num_elements() for v in model.trainable_weights)
    tokens = feed.tokens()
    reads = f"{tokens * config.trained_epochs:,} tokens" if tokens else "on features"
    log.info(
        f"{size:,} parameters ({learning:,} learn), "
        f"{len(feed) * config.trained_epochs:,} steps in {_epochs(config)}, "
        f"{reads}; the time it takes follows after the first steps"
    )
    if place != Place():
        log.info(f"going on at step {place.step + 1:,} of epoch {place.epoch + 1}")
    for group in model.optimizer.groups():
        decay = "decay" if group.decays else "do not decay"
        log.info(
            f"  {group.variables:,} variables ({group.parameters:,} parameters) learn at "
            f"{group.multiplier:g} x the rate and {decay}"
        )
    if frozen := [v for v in model.weights if not v.trainable]:
        log.info(f"  {len(frozen):,} variables ({size - learning:,} parameters) are frozen")
    compiled = ", compiled by XLA" if model.jit_compile else ""
    log.info(f"  a step computes in {definition.precision(config)}{compiled}")


def _epochs(config: Config) -> str:
    whole = f"{config.epochs} {'epoch' if config.epochs == 1 else 'epochs'}"
    cut = config.trained_epochs < config.epochs
    return f"the first {config.trained_epochs} of {whole}" if cut else whole


def _tensorboard(config: Config, run_dir: pathlib.Path) -> list[keras.callbacks.Callback]:
    if not config.tensorboard:
        return []
    return [keras.callbacks.TensorBoard(run_dir / layout.TENSORBOARD, update_freq=10)]


def _how_to_go_on(stopped: Stopped, best: BestEpoch, run_dir: pathlib.Path) -> str:
    told = f"{stopped}; the same command with --run_dir={run_dir} goes on from there."
    if best.epoch is None or not best.judges or stopped.signal != signal.SIGINT:
        return told
    return (
        f"{told} Epoch {best.epoch + 1} was the best so far (validation {best.objective} "
        f"{best.value:.4f}); {_measure_it_with(run_dir)}"
    )


def _measure_it_with(run_dir: pathlib.Path) -> str:
    return f"measure it with: python -m ftkeras.main evaluate --run_dir={run_dir}"


def _say_finished(run_dir: pathlib.Path) -> None:
    log.info(
        f"the run in {run_dir} is finished: more `epochs` make it longer, `restart` begins anew"
    )
    for path in run_folder.exports(run_dir):
        log.info(f"export  {path}")
