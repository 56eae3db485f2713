"""Train an experiment, with checkpoints, and leave the weights of its best epoch."""

import contextlib
import math
import pathlib
import signal
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras

from ftkeras.checkpoints.training_state import Checkpoints, Position
from ftkeras.config.durations import checkpoint_interval
from ftkeras.config.run import Config
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.data.splits import Splits
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import features, optimization, private, speedup, tracking, windows
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import layout, metrics
from ftkeras.support import commands
from ftkeras.trackers import Tracker
from ftkeras.training import epochs, stopping, weights
from ftkeras.training.best import BestEpoch
from ftkeras.training.checkpointer import Checkpointer
from ftkeras.training.finite import Finite
from ftkeras.training.history import History
from ftkeras.training.progress import Progress
from ftkeras.training.same_data import SameData
from ftkeras.training.same_mechanism import SameMechanism
from ftkeras.training.stopping import StopRequest
from ftkeras.training.tracking import Tracking
from ftkeras.training.validation import ValidationMetrics
from ftkeras.training.within_epoch import WithinEpoch


def checkpoints(config: Config, run_dir: pathlib.Path) -> Checkpoints:
    """Return the checkpoints of a run."""
    return Checkpoints(run_dir / layout.CHECKPOINTS, keep=max(1, config.keep))


def check_evaluations(config: Config, feed: TrainingFeed) -> None:
    """Raise UserError if `evaluate_every` never comes within an epoch."""
    every, updates = config.evaluate_every, len(feed)
    if every is not None and every >= updates:
        raise UserError(
            f"`evaluate_every` must be below {updates}, the number of updates per epoch, because "
            f"each epoch ends with a validation anyway. Received: {every}."
        )


class Fit:
    """The training of one run: resumes from the newest checkpoint and ends with the best epoch.

    Args:
        experiment: compiled to train.
        feed: the batches to train on, from `feeds.training_feed`.
        splits: of the run.
        run_dir: the run's folder, in which the chief worker writes.
        callbacks: the caller's, which are called after the run's own.

    Attributes:
        feed: the batches; of features instead of token ids if a frozen encoder need not run.
        position: the epoch and step to start from.
    """

    def __init__(
        self,
        experiment: Experiment,
        feed: TrainingFeed,
        splits: Splits,
        run_dir: pathlib.Path,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ):
        config, chief = experiment.config, experiment.devices.is_chief
        self._experiment, self._run_dir = experiment, run_dir
        self._given_callbacks = callbacks
        self._checkpoints = checkpoints(config, run_dir)
        self._state = self._checkpoints.newest()
        self.position = self._state.position if self._state else Position()
        self.feed, self._validation, self._feature_metrics = self._read_features(feed, splits)
        self._finite = Finite()
        self._progress = Progress(
            self.feed,
            epochs=config.trained_epochs,
            reported=windows.reported(config, experiment.problem),
            advise=speedup.advise(experiment, self.feed, examples=len(splits.train)),
        )
        self._history = History(run_dir / layout.HISTORY if chief else None)
        self._best = BestEpoch(
            self._checkpoints.folder,
            objective=config.objective,
            patience=config.early_stopping,
            has_validation=private.selects_by_validation(config),
            writes_files=chief,
            # Policies have frozen these already; none trains them later.
            fixed=experiment.model.encoder.non_trainable_weights,
        )

    def run(self) -> dict:
        """Train to the last epoch, or until early stopping or a signal ends training.

        Returns:
            What metrics.json has under "train".

        Raises:
            Stopped: if a signal stopped training; its state has been saved.
        """
        with stopping.defer_signals() as stop_request:
            try:
                with self._open_trackers() as trackers:
                    callbacks = self._callbacks(Tracking(trackers, self.feed))
                    self._train([*callbacks, self._checkpointer(callbacks, stop_request)])
            except Stopped as stopped:
                self._progress.close()
                # The user who interrupts a run may want to evaluate it.
                if stopped.signal == signal.SIGINT:
                    self._keep_best()
                raise Stopped(stopped.signal, self._how_to_resume(stopped)) from None
        self._keep_best()
        return self._metrics()

    def _read_features(
        self, feed: TrainingFeed, splits: Splits
    ) -> tuple[TrainingFeed, OrderedFeed | None, dict[str, float]]:
        """Return the feeds, of features if the encoder is frozen, and what computing them took."""
        feeds: Sequence[Any] = [feed]
        figures: dict[str, float] = {}
        if splits.validation is not None:
            if feed.masker is not None:
                feed.masker.check(splits.validation)
            same = {"collate": feed.collate, "by_text": feed.by_text, "masker": feed.masker}
            feeds = [feed, OrderedFeed(splits.validation, feed.batching, **same)]
        if self.position.epoch < self._experiment.config.trained_epochs:
            feeds, figures = features.read_once(self._experiment, feeds, splits.folder)
        train, *validation = feeds
        return train, validation[0] if validation else None, figures

    def _open_trackers(self) -> AbstractContextManager[Mapping[str, Tracker]]:
        """Return a context with the trackers that the chief opens; none if nothing is to train."""
        config, position = self._experiment.config, self.position
        if not self._experiment.devices.is_chief or self._is_finished():
            return contextlib.nullcontext({})
        step = position.epoch * len(self.feed) + position.step
        return tracking.opened(config, self._run_dir, step=step)

    def _callbacks(self, tracker: Tracking) -> list[keras.callbacks.Callback]:
        config, model = self._experiment.config, self._experiment.model
        objective, averages = self._objective_callbacks(), optimization.average_callbacks(config)
        return [
            *(SameData(self.feed), self._finite),
            *([] if model.private is None else [SameMechanism(model.private)]),
            *objective,
            *(self._history, self._best, self._progress),
            *(c for policy in self._experiment.policies for c in policy.callbacks(model)),
            *averages,
            tracker,
            *self._within_epoch(objective, averages, tracker),
            *self._given_callbacks,
            # Last, so that the others still see the learning rate of the epoch that ends.
            *optimization.schedule_callbacks(model.optimizer.schedule),
        ]

    def _within_epoch(
        self,
        objective: Sequence[ValidationMetrics],
        averages: Sequence[Any],
        tracker: Tracking,
    ) -> list[keras.callbacks.Callback]:
        """Return the callback that validates within epochs; none without `evaluate_every`."""
        every, is_chief = self._experiment.config.evaluate_every, self._experiment.devices.is_chief
        if every is None or self._validation is None:
            return []
        within = WithinEpoch(
            self._validation,
            self.feed,
            every=every,
            metrics=objective,
            averages=averages,
            best=self._best,
            progress=self._progress,
            tracking=tracker,
            path=self._run_dir / layout.EVALUATIONS if is_chief else None,
        )
        return [within]

    def _objective_callbacks(self) -> list[ValidationMetrics]:
        """Return the callback that computes the objective, unless training reports it.

        It then needs all predictions of the validation split. So does the loss if the outputs for
        the windows of a text are combined.
        """
        config, feed = self._experiment.config, self._validation
        problem = self._experiment.problem
        computed = {config.objective} - {"loss", *windows.reported(config, problem)}
        if windows.are_combined(config, problem):
            computed.add("loss")
        if feed is None or not computed:
            return []
        names, targets = sorted(computed), feed.examples.targets
        loss = self._experiment.model.loss

        def measure(logits: Any) -> dict[str, float]:
            if not problem.are_finite(logits).all():
                return dict.fromkeys(names, math.nan)
            measured = problem.metrics(targets, logits, loss)
            return {name: math.nan if measured[name] is None else measured[name] for name in names}

        return [ValidationMetrics(feed, measure)]

    def _checkpointer(
        self, callbacks: list[keras.callbacks.Callback], stop_request: StopRequest
    ) -> Checkpointer:
        model, devices = self._experiment.model, self._experiment.devices
        every, in_seconds = checkpoint_interval(self._experiment.config.checkpoint_every)
        schedules = optimization.stateful_schedules(model.optimizer.schedule)
        return Checkpointer(
            self._checkpoints if devices.is_chief else None,
            every=every,
            in_seconds=in_seconds,
            callbacks=callbacks,
            others=[*model.regularizers, *schedules],
            best=self._best,
            stop_request=stop_request,
            all_reduce_max=devices.all_reduce_max,
            check=self._finite.check,
            resume_from=self._state,
        )

    def _train(self, callbacks: list[keras.callbacks.Callback]) -> None:
        last = self._experiment.config.trained_epochs
        if self._is_finished():
            return
        epochs.fit(
            self._experiment.model,
            self.feed,
            epochs=last,
            validation=self._validation,
            callbacks=callbacks,
            epoch=self.position.epoch,
            start=self.position.step,
        )

    def _is_finished(self) -> bool:
        """Return whether nothing is left to train."""
        last = self._experiment.config.trained_epochs
        return self._best.is_finished(self.position, epochs=last)

    def _keep_best(self) -> None:
        """Restore the best epoch, remove what policies added for training, and save the weights."""
        model = self._experiment.model
        if self._best.epoch is None:
            return
        self._best.restore(model)
        for policy in reversed(self._experiment.policies):
            policy.finish(model)
        model.compute_in_float32()
        if self._experiment.devices.is_chief:
            weights.save(model.saved_variables, self._run_dir / layout.WEIGHTS)

    def _metrics(self) -> dict:
        seconds = sum(row["seconds"] for row in self._history.rows)
        updates = int(self._experiment.model.optimizer.iterations.numpy())
        state, best = self._state, self._best.epoch
        assert best is not None, "no epoch has ended"
        return {
            "seconds": seconds + self._feature_metrics.get("seconds_for_features", 0.0),
            **self._progress.metrics(),
            **self._feature_metrics,
            "steps": updates or (state.updates if state else 0),
            "best_epoch": best + 1,
            **({} if self._best.step is None else {"best_step": self._best.step}),
            "last_loss": self._history.rows[-1]["loss"] if self._history.rows else None,
            "peak_memory_bytes": metrics.peak_memory_bytes(),
        }

    def _how_to_resume(self, stopped: Stopped) -> str:
        best = self._best
        message = f"{stopped}. To resume, repeat the command with run_dir={self._run_dir}."
        if best.epoch is None or not best.has_validation or stopped.signal != signal.SIGINT:
            return message
        return (
            f"{message} The best epoch so far is {best.epoch + 1} (validation {best.objective} "
            f"{best.value:.4f}); {how_to_evaluate(self._run_dir)}"
        )


def how_to_evaluate(run_dir: pathlib.Path) -> str:
    """Return the command that evaluates an interrupted run."""
    return f"evaluate it with: {commands.line('evaluate', run_dir=run_dir)}"
