import csv
import io
import math
import time

import keras
import numpy as np
import pytest

from ftkeras.checkpoints import tensor_file
from ftkeras.checkpoints.training_state import Checkpoints, Position, State
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed
from ftkeras.errors import UserError
from ftkeras.support import progress as support_progress
from ftkeras.support import times
from ftkeras.training import epochs, weights
from ftkeras.training import progress as progress_module
from ftkeras.training.best import BestEpoch
from ftkeras.training.callback import Callback
from ftkeras.training.checkpointer import Checkpointer, state_keys
from ftkeras.training.evaluation_progress import EvaluationProgress
from ftkeras.training.finite import Finite
from ftkeras.training.history import History
from ftkeras.training.progress import Progress
from ftkeras.training.stopping import StopRequest
from ftkeras.training.tracking import Tracking

REPORTED = {"accuracy": "acc"}


def test_fit_uses_each_epochs_own_order(model, feed):
    epochs.fit(model, feed, epochs=3, callbacks=[])
    expected = []
    for epoch in range(3):
        expected += [feed.examples.targets[batch].tolist() for batch in feed.batches(epoch)]
    assert model.seen == expected


def test_steps_do_not_plan_their_epoch_again(model, feed, monkeypatch):
    plans, plan = [], Padded.plan
    monkeypatch.setattr(Padded, "plan", lambda *given: plans.append(1) or plan(*given))
    callbacks = [Progress(feed, epochs=2, stream=io.StringIO()), Tracking({}, feed)]
    epochs.fit(model, feed, epochs=2, callbacks=callbacks)
    # One for the number of steps; and for each epoch, those of the progress and of the batches.
    assert len(plans) == 1 + 2 * 2


def _epochs(callback, model, values, metric):
    """Run the callback over epochs with these validation metrics; weight = number of the epoch."""
    callback.set_model(model)
    model.stop_training = False
    for epoch, value in enumerate(values):
        model.weight.assign(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0, "val_loss": 0.5, f"val_{metric}": value})
        if model.stop_training:
            return epoch
    return None


@pytest.mark.parametrize(
    ("objective", "values", "best"),
    [
        ("accuracy", [0.7, 0.9, 0.8], 1),
        ("accuracy", [0.7, 0.9, 0.9], 1),
        ("loss", [0.5, 0.3, 0.4], 1),
        ("loss", [0.5, 0.4, 0.3], 2),
    ],
)
def test_weights_of_the_best_epoch_are_restored(model, tmp_path, objective, values, best):
    callback = BestEpoch(tmp_path, objective=objective, patience=None)
    _epochs(callback, model, values, objective)
    callback.restore(model)
    assert (callback.epoch, callback.value) == (best, values[best])
    assert float(model.weight.value) == best


def test_best_validation_within_an_epoch_is_restored(model, tmp_path):
    callback = BestEpoch(tmp_path, objective="f1", patience=None)
    callback.set_model(model)
    model.weight.assign(7)
    assert callback.offer({"val_f1": 0.9, "val_loss": 0.5}, epoch=0, step=3)
    model.weight.assign(8)  # training goes on
    callback.restore(model)
    assert float(model.weight.value) == 7


def test_files_of_best_epochs_lack_what_training_never_changes(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    fixed = model.layers[0].weights
    callback = BestEpoch(tmp_path, objective="f1", patience=None, fixed=fixed)
    callback.set_model(model)
    callback.on_epoch_end(0, {"val_f1": 0.9, "val_loss": 0.5})
    (path,) = tmp_path.glob("best-*")
    tensors, _ = tensor_file.read(path)
    assert set(tensors) == {variable.path for variable in model.layers[1].weights}


@pytest.mark.parametrize(
    ("epochs", "best"),
    [
        ([(0.9, 0.5), (0.9, 0.4), (0.9, 0.4)], 1),
        ([(0.9, 0.5), (0.9, math.nan), (0.95, math.inf)], 0),
        ([(0.9, math.nan), (0.8, 0.4)], 1),
        ([(math.nan, 0.5), (0.8, 0.6)], 1),
    ],
)
def test_ties_are_broken_by_loss_and_a_loss_that_is_not_finite_never_wins(
    model, tmp_path, epochs, best
):
    callback = BestEpoch(tmp_path, objective="f1", patience=None)
    callback.set_model(model)
    for epoch, (score, loss) in enumerate(epochs):
        callback.on_epoch_end(epoch, {"val_f1": score, "val_loss": loss})
    resumed = BestEpoch(tmp_path, objective="f1", patience=None)
    resumed.restore_state(callback.state())
    assert callback.epoch == resumed.epoch == best
    assert (resumed.value, resumed.loss) == epochs[best]


def test_training_stops_when_no_epoch_is_better(model, tmp_path):
    callback = BestEpoch(tmp_path, objective="accuracy", patience=2)
    assert _epochs(callback, model, [0.5, 0.7, 0.6, 0.7, 0.9], "accuracy") == 3


def test_loss_that_is_not_finite_stops_the_run(model):
    callback = Finite()
    callback.set_model(model)
    callback.on_epoch_begin(0)
    callback.on_train_batch_end(0, {"loss": 0.5})
    callback.on_train_batch_end(1, {"loss": np.nan})
    with pytest.raises(UserError, match="nan at step 2 of epoch 1.*`learning_rate`"):
        callback.on_epoch_end(0)


def test_weights_are_saved_and_loaded(model, tmp_path):
    model.weight.assign(3.25)
    weights.save(model.weights, tmp_path / "w.safetensors")
    model.weight.assign(0.0)
    weights.load(model.weights, tmp_path / "w.safetensors")
    assert float(model.weight.value) == 3.25


def test_damaged_weights_are_refused(model, tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(UserError, match="does not exist"):
        weights.load(model.weights, path)
    weights.save(model.weights, path)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(UserError, match=r"w\.safetensors can't be read"):
        weights.load(model.weights, path)


def test_another_models_weights_are_refused(model, tmp_path):
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    weights.save(other.weights, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="another model's weights"):
        weights.load(model.weights, tmp_path / "w.safetensors")


def test_history_has_a_row_for_each_epoch(model, feed, tmp_path):
    epochs.fit(model, feed, epochs=2, callbacks=[History(tmp_path / "history.csv")])
    rows = list(csv.DictReader((tmp_path / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert list(rows[0]) == ["epoch", "loss", "learning_rate", "seconds"]
    assert float(rows[1]["learning_rate"]) == pytest.approx(0.1)


def test_progress_counts_every_step_after_the_first(model, feed):
    model.compile(optimizer=model.optimizer, loss="mse", metrics=["accuracy"], jit_compile=False)
    stream = io.StringIO()
    progress = Progress(feed, epochs=3, reported=REPORTED, stream=stream)
    validation = OrderedFeed(feed.examples, feed.batching)
    epochs.fit(model, feed, epochs=3, validation=validation, callbacks=[progress])
    assert (progress.steps, progress.examples, progress.tokens) == (11, 176, 176)
    written = stream.getvalue()
    assert "training takes about" in written
    assert written.count("validation loss") == 3


class Clock:
    """Stands for the module time: each reading is `step` seconds after the one before."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def perf_counter(self):
        self.now += self.step
        return self.now


def test_progress_asks_for_advice_once_with_the_estimate(model, feed, monkeypatch):
    model.compile(optimizer=model.optimizer, loss="mse", metrics=["accuracy"], jit_compile=False)
    monkeypatch.setattr(progress_module, "time", Clock(step=100.0))
    asked, stream = [], io.StringIO()
    progress = Progress(feed, epochs=3, stream=stream, advise=asked.append)
    epochs.fit(model, feed, epochs=3, callbacks=[progress])
    (seconds,) = asked
    assert seconds > 100
    assert f"training takes about {times.duration(seconds)}" in stream.getvalue()


def test_estimate_waits_for_a_batch_that_is_not_empty(model, feed):
    stream, logs = io.StringIO(), {"loss": 0.5}
    progress = Progress(feed, epochs=1, stream=stream)
    progress.set_model(model)
    sizes = (16, 0, 0, 16)
    feed.batches = lambda epoch: [np.arange(size) for size in sizes]
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    written = []
    for batch in range(len(sizes)):
        progress.on_train_batch_begin(batch)
        progress.on_train_batch_end(batch, logs)
        written.append(stream.getvalue().count("training takes about"))
    progress.close()
    assert written == [0, 0, 0, 1]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_fits_80_columns(model, feed, monkeypatch):
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda file: (80, 24))
    progress = Progress(feed, epochs=10, reported=REPORTED, stream=Terminal())
    progress.set_model(model)
    progress.on_train_begin()
    progress.on_epoch_begin(9)
    progress.bar.n, progress.bar.start_t = 639, progress.bar.start_t - 5000
    progress.bar.set_postfix_str("loss 10.6931, acc 0.9876, lr 3.0e-05")
    shown = progress.stream.getvalue().split("\r")[-1]
    progress.close()
    assert 70 <= len(shown) <= 80
    for part in ("epoch 10/10: ", " left, ", "loss 10.6931, acc 0.9876, lr 3.0e-05"):
        assert part in shown


def _evaluated(stream):
    progress = EvaluationProgress("evaluating test", examples=100, steps=4, stream=stream)
    progress.on_predict_begin()
    for batch in range(4):
        progress.on_predict_batch_end(batch)
    progress.on_predict_end()
    return stream.getvalue()


def test_evaluation_writes_lines_into_a_log_file(monkeypatch):
    assert _evaluated(io.StringIO()) == ""  # it is over in less than half a minute
    monkeypatch.setattr(support_progress, "SECONDS_BETWEEN_LINES", 0)
    lines = [f"evaluating test: {n} of 100 examples" for n in (25, 50, 75, 100)]
    assert _evaluated(io.StringIO()).splitlines() == lines


def test_evaluation_shows_a_bar_on_a_terminal_and_removes_it(monkeypatch):
    assert _evaluated(Terminal()).strip() == ""  # it is over in less than a second
    monkeypatch.setattr(support_progress, "DELAY", 0)
    monkeypatch.setattr(support_progress, "SECONDS_BETWEEN_REDRAWINGS", 0)
    shown = _evaluated(Terminal())
    assert "evaluating test: 75%" in shown
    assert shown.endswith("\r")


@pytest.mark.matrix
@pytest.mark.parametrize(("late", "least", "most"), [(-1000, 0, 0), (1000, 10_900, 11_100)])
def test_progress_counts_the_time_a_step_waits_for_its_batch(model, feed, late, least, most):
    model.compile(optimizer=model.optimizer, loss="mse", metrics=["accuracy"], jit_compile=False)
    feed._is_ready = lambda n: feed.ready.update({n: time.perf_counter() + late})
    progress = Progress(feed, epochs=3, reported=REPORTED, stream=io.StringIO())
    validation = OrderedFeed(feed.examples, feed.batching)
    epochs.fit(model, feed, epochs=3, validation=validation, callbacks=[progress])
    assert least <= progress.waited <= most
    share = progress.metrics()["share_waiting_for_data"]
    assert share == pytest.approx(progress.waited / progress.seconds)
    assert f"{share:.1%} of the time was spent waiting for data" in progress.stream.getvalue()


class Counter(Callback):
    """Add `step` in each epoch."""

    def __init__(self, step):
        super().__init__()
        self.step, self.total = step, 0

    def on_epoch_end(self, epoch, logs=None):
        self.total += self.step

    def state(self):
        return {"total": self.total}

    def restore_state(self, state):
        self.total = state["total"]


def _checkpointer(
    folder, counters, resume_from=None, *, keep=1, every=0
) -> tuple[Checkpointer, BestEpoch]:
    best = BestEpoch(folder, objective="loss", patience=None, has_validation=False)
    checkpointer = Checkpointer(
        Checkpoints(folder, keep=keep),
        every=every,
        in_seconds=False,
        callbacks=[best, *counters],
        others=[],
        best=best,
        stop_request=StopRequest(),
        all_reduce_max=lambda number: number,
        check=lambda: None,
        resume_from=resume_from,
    )
    return checkpointer, best


def test_two_callbacks_of_one_class_keep_their_own_state(model, feed, tmp_path):
    counters = [Counter(1), Counter(10)]
    checkpointer, best = _checkpointer(tmp_path, counters)
    epochs.fit(model, feed, epochs=2, callbacks=[best, *counters, checkpointer])
    saved = Checkpoints(tmp_path, keep=1).newest()
    assert saved.facts["Counter"] == {"total": 2}
    assert saved.facts["Counter-2"] == {"total": 20}
    resumed = [Counter(1), Counter(10)]
    _checkpointer(tmp_path, resumed, saved)
    assert [counter.total for counter in resumed] == [2, 20]


def test_checkpoint_within_an_epoch_resumes_at_the_next_step(model, feed, tmp_path):
    checkpointer, best = _checkpointer(tmp_path, [], keep=9, every=1)
    epochs.fit(model, feed, epochs=1, callbacks=[best, checkpointer])
    paths = Checkpoints(tmp_path, keep=9).paths()
    places = [tensor_file.read_facts(path)["place"] for path in paths]
    assert [(p["epoch"], p["step"]) for p in places[:3]] == [(0, 1), (0, 2), (0, 3)]
    assert (places[-1]["epoch"], places[-1]["step"]) == (1, 0)


def test_a_single_callback_of_a_class_is_saved_under_the_classs_name():
    assert list(state_keys([keras.callbacks.Callback(), Counter(1)])) == ["Counter"]


def test_state_of_a_callback_that_the_run_does_not_have_is_refused(tmp_path):
    saved = State(Position(), 0, {}, {"Counter": {"total": 2}, "Counter-2": {"total": 20}})
    with pytest.raises(UserError, match="state of Counter-2, which.*BestEpoch, Counter"):
        _checkpointer(tmp_path, [Counter(1)], saved)
