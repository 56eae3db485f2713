"""Fine-tunes: train, keep the best epoch, evaluate it on test, export it."""

import importlib.util
import os
import pathlib
import time
from datetime import datetime

import keras
import psutil

from ftkeras import assemble, catalog, evaluate, export, files, flags, imbalance, report
from ftkeras.assemble import Experiment
from ftkeras.batching._feed import OrderedFeed, TrainingFeed
from ftkeras.batching.auto import Auto
from ftkeras.config import Config
from ftkeras.errors import UserError
from ftkeras.splits import Splits, opened
from ftkeras.training import checkpoints, epochs
from ftkeras.training.best import BestEpoch
from ftkeras.training.history import History
from ftkeras.training.progress import Progress


def run(config: Config) -> None:
    """`train`: a whole run, from the data to the export."""
    run_dir = new_run_dir(config)
    if config.tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise UserError("--tensorboard needs: pip install 'ftkeras[tensorboard]'")
    experiment = assemble.experiment(config)
    writers = export.exporters(experiment, run_dir)
    with opened(config, experiment.task, experiment.text_layer) as splits:
        counts = _show_splits(splits)
        feed = training_feed(experiment, splits)
        assemble.compile_to_train(experiment, total_steps=len(feed) * config.epochs)
        record(experiment, run_dir)  # nothing is written before all that can be wrong was looked at
        trained = fit(experiment, feed, splits, run_dir)
        metrics = {"train": trained, "data": counts, "versions": report.versions()}
        report.write_metrics(run_dir, metrics)
        print("evaluating the best epoch …")
        try:
            measured = evaluate.evaluate(experiment, splits, run_dir)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"Training is done; {_measure_it_with(run_dir)}") from None
    report.write_metrics(run_dir, {**measured, **metrics})
    report.show_metrics(measured, experiment.labels)
    print(f"\nrun     {run_dir}")
    export.write(writers)


def training_feed(experiment: Experiment, splits: Splits) -> TrainingFeed:
    """The batches to train on."""
    config = experiment.config
    parts = config.accumulate * experiment.devices.replicas
    batching = assemble.batching(config, pad_id=experiment.model.pad_id, parts=parts)
    if isinstance(batching, Auto):
        print(f"--batching=auto: {batching.picked}")
    train = splits.train
    if config.oversample:
        train = train.of(imbalance.oversampled(train.own_labels, seed=config.data_seed))
    weights = imbalance.class_weights(config.class_weights, train.own_labels, experiment.labels)
    return TrainingFeed(train, batching, seed=config.seed, class_weights=weights)


def fit(experiment: Experiment, feed: TrainingFeed, splits: Splits, run_dir: pathlib.Path) -> dict:
    """Trains, and leaves the model with the best epoch's weights.

    Returns:
        What metrics.json says under "train".
    """
    config, model = experiment.config, experiment.model
    best = BestEpoch(
        run_dir / assemble.WEIGHTS_FILE,
        objective=config.objective,
        patience=config.early_stopping,
    )
    progress = Progress(feed, epochs=config.epochs)
    _announce(experiment, feed)
    began = time.time()
    try:
        epochs.fit(
            model,
            feed,
            epochs=config.epochs,
            validation=OrderedFeed(splits.validation, feed.batching),
            callbacks=[
                History(run_dir / "history.csv"),
                best,
                progress,
                *(c for policy in experiment.policies for c in policy.callbacks(model)),
                *assemble.average_callbacks(config),
                *_tensorboard(config, run_dir),
                # Last, so that the others still see the rate that the epoch was trained with.
                *assemble.schedule_callbacks(model.optimizer._learning_rate),
            ],
        )
    except KeyboardInterrupt:
        progress.close()
        _settle(experiment, best)
        raise KeyboardInterrupt(_how_to_go_on(best, run_dir)) from None
    _settle(experiment, best)
    return {
        "seconds": time.time() - began,
        "seconds_to_first_step": progress.first_step_at - psutil.Process().create_time(),
        "examples_per_second": progress.examples / progress.seconds if progress.seconds else None,
        "tokens_per_second": progress.tokens / progress.seconds if progress.seconds else None,
        "steps": int(model.optimizer.iterations),
        "best_epoch": best.epoch + 1,
        "peak_memory_bytes": report.peak_memory_bytes(),
    }


def _settle(experiment: Experiment, best: BestEpoch) -> None:
    """Leaves the model plain, with the best epoch's weights, and keeps just those."""
    if best.epoch is None:
        return
    best.restore()
    for policy in reversed(experiment.policies):
        policy.finish(experiment.model)
    checkpoints.save(experiment.model.kept, best.path)


def record(experiment: Experiment, run_dir: pathlib.Path) -> None:
    """Makes the run's folder, with what is needed to build its model again."""
    run_dir.mkdir(parents=True, exist_ok=True)
    experiment.text_layer.wordpiece.save(run_dir / assemble.ENCODER_FOLDER)
    files.write_json(
        run_dir / assemble.ENCODER_FOLDER / "config.json",
        experiment.model.encoder.huggingface_config(),
    )
    files.write_json(run_dir / assemble.LABELS_FILE, list(experiment.labels))
    files.write_text(run_dir / "run.cfg", flags.render(experiment.config))


def new_run_dir(config: Config) -> pathlib.Path:
    """Where this run goes; it must hold no run that kept weights, and it must be writable."""
    if config.run_dir is None:
        task = catalog.parse("task", config.task).name
        return files.must_be_writable(
            f"runs/{task}/{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}", "--run_dir"
        )
    run_dir = files.must_be_writable(config.run_dir, "--run_dir")
    if (run_dir / assemble.WEIGHTS_FILE).exists():
        raise UserError(
            f"--run_dir={run_dir} holds a run already; name another folder, or remove it."
        )
    return run_dir


def _show_splits(splits: Splits) -> dict[str, int]:
    """Prints and returns how many examples there are, and what is odd about them."""
    counts = splits.counts()
    names = ("train", "validation", "test")
    print("examples: " + ", ".join(f"{counts[name]:,} {name}" for name in names))
    for name in names:
        for warning in imbalance.warnings(getattr(splits, name).own_labels, splits.task.labels):
            print(f"note: {name}: {warning} (see --class_weights and --oversample)")
    if shared := counts["in_train_and_test"]:
        stand = "text of test stands" if shared == 1 else "texts of test stand"
        print(f"note: {shared:,} {stand} in train or validation too")
    return counts


def _announce(experiment: Experiment, feed: TrainingFeed) -> None:
    config, model = experiment.config, experiment.model
    size = sum(v.shape.num_elements() for v in model.weights)
    learning = sum(v.shape.num_elements() for v in model.trainable_weights)
    tokens = int(feed.examples.lengths.sum())
    print(
        f"{size:,} parameters ({learning:,} learn), "
        f"{len(feed) * config.epochs:,} steps in {config.epochs} "
        f"{'epoch' if config.epochs == 1 else 'epochs'}, "
        f"{tokens * config.epochs:,} tokens; "
        "the time it takes follows after the first steps",
    )
    for group in model.optimizer.groups():
        decay = "decay" if group.decays else "do not decay"
        print(
            f"  {group.variables:,} variables ({group.parameters:,} parameters) learn at "
            f"{group.multiplier:g} x the rate and {decay}",
            flush=True,
        )


def _tensorboard(config: Config, run_dir: pathlib.Path) -> list[keras.callbacks.Callback]:
    if not config.tensorboard:
        return []
    return [keras.callbacks.TensorBoard(run_dir / "tensorboard", update_freq=10)]


def _how_to_go_on(best: BestEpoch, run_dir: pathlib.Path) -> str:
    if best.epoch is None:
        return "No epoch was finished, so nothing was kept; the same command begins again."
    return (
        f"Epoch {best.epoch + 1} was the best so far (validation {best.objective} "
        f"{best.value:.4f}) and is kept; {_measure_it_with(run_dir)}"
    )


def _measure_it_with(run_dir: pathlib.Path) -> str:
    return f"measure it with: python -m ftkeras.main evaluate --run_dir={run_dir}"
