import csv
import io
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data import token_store
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.errors import UserError
from ftkeras.optimizers.adamw import AdamW
from ftkeras.training import epochs, weights
from ftkeras.training.best import BestEpoch
from ftkeras.training.finite import Finite
from ftkeras.training.history import History
from ftkeras.training.progress import Progress


class Scale(keras.Model):
    """One weight times the first token id; remembers the labels of each step."""

    def __init__(self):
        super().__init__(name="scale")
        self.weight = self.add_weight(shape=(), initializer="ones", name="weight")
        self.seen = []

    def call(self, inputs):
        return tf.cast(inputs["token_ids"][:, :1], tf.float32) * self.weight

    def train_step(self, data):
        tf.py_function(lambda labels: self.seen.append(labels.numpy().tolist()), [data[1]], [])
        return super().train_step(data)


@pytest.fixture
def model():
    model = Scale()
    model.compile(optimizer=AdamW(learning_rate=0.1), loss="mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def feed(tmp_path):
    def one_token(texts, pairs=None):
        return {"token_ids": tf.RaggedTensor.from_tensor(tf.ones([tf.size(texts), 1], tf.int32))}

    dataset = tf.data.Dataset.from_tensor_slices({"text": [b"x"] * 64, "label": np.arange(64)})
    examples = token_store.write(dataset, one_token, tmp_path, name="train")
    return TrainingFeed(examples, Padded(batch_size=16, pad_id=0), seed=0)


def test_fit_takes_each_epochs_own_order(model, feed):
    epochs.fit(model, feed, epochs=3, callbacks=[])
    expected = []
    for epoch in range(3):
        expected += [feed.examples.labels[batch].tolist() for batch in feed.batches(epoch)]
    assert model.seen == expected


def _epochs(callback, model, values, metric):
    """Plays epochs of these validation figures, the weight set to the epoch's number."""
    callback.set_model(model)
    model.stop_training = False
    for epoch, value in enumerate(values):
        model.weight.assign(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0, f"val_{metric}": value})
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
def test_best_epochs_weights_come_back(model, tmp_path, objective, values, best):
    callback = BestEpoch(tmp_path, objective=objective, patience=None)
    _epochs(callback, model, values, objective)
    callback.restore(model)
    assert (callback.epoch, callback.value) == (best, values[best])
    assert float(model.weight.value) == best


def test_training_stops_when_no_epoch_is_better(model, tmp_path):
    callback = BestEpoch(tmp_path, objective="accuracy", patience=2)
    assert _epochs(callback, model, [0.5, 0.7, 0.6, 0.7, 0.9], "accuracy") == 3


def test_loss_that_is_no_number_stops_the_run(model):
    callback = Finite()
    callback.set_model(model)
    callback.on_epoch_begin(0)
    callback.on_train_batch_end(0, {"loss": 0.5})
    callback.on_train_batch_end(1, {"loss": np.nan})
    with pytest.raises(UserError, match="nan at step 2 of epoch 1.*--learning_rate"):
        callback.on_epoch_end(0)


def test_weights_survive_the_file(model, tmp_path):
    model.weight.assign(3.25)
    weights.save(model.weights, tmp_path / "w.safetensors")
    model.weight.assign(0.0)
    weights.load(model.weights, tmp_path / "w.safetensors")
    assert float(model.weight.value) == 3.25


def test_damaged_weights_are_refused(model, tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(UserError, match="not there"):
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


def test_history_has_a_row_an_epoch(model, feed, tmp_path):
    epochs.fit(model, feed, epochs=2, callbacks=[History(tmp_path / "history.csv")])
    rows = list(csv.DictReader((tmp_path / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert list(rows[0]) == ["epoch", "loss", "learning_rate", "seconds"]
    assert float(rows[1]["learning_rate"]) == pytest.approx(0.1)


def test_progress_counts_every_step_after_the_first(model, feed):
    model.compile(optimizer=model.optimizer, loss="mse", metrics=["accuracy"], jit_compile=False)
    stream = io.StringIO()
    progress = Progress(feed, epochs=3, stream=stream)
    validation = OrderedFeed(feed.examples, feed.batching)
    epochs.fit(model, feed, epochs=3, validation=validation, callbacks=[progress])
    assert (progress.steps, progress.examples, progress.tokens) == (11, 176, 176)
    said = stream.getvalue()
    assert "training takes about" in said
    assert said.count("validation loss") == 3


@pytest.mark.parametrize(("late", "least", "most"), [(-1000, 0, 0), (1000, 10_900, 11_100)])
def test_progress_counts_the_time_a_step_waits_for_its_batch(model, feed, late, least, most):
    model.compile(optimizer=model.optimizer, loss="mse", metrics=["accuracy"], jit_compile=False)
    feed._is_ready = lambda n: feed.ready.update({n: time.perf_counter() + late})
    progress = Progress(feed, epochs=3, stream=io.StringIO())
    validation = OrderedFeed(feed.examples, feed.batching)
    epochs.fit(model, feed, epochs=3, validation=validation, callbacks=[progress])
    assert least <= progress.waited <= most
    share = progress.figures()["share_waiting_for_data"]
    assert share == pytest.approx(progress.waited / progress.seconds)
    assert f"{share:.1%} of the time went by waiting for data" in progress.stream.getvalue()
