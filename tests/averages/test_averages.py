import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.averages.ema import Ema
from ftkeras.averages.swa import Swa
from ftkeras.training import weights as weights_file
from ftkeras.training.best import BestEpoch
from tests.matrix import matrix

RATE, STEPS = 0.1, 3


class Line(keras.Model):
    """slope · x + shift. Each step has the same gradient, so the weights fall linearly."""

    def __init__(self):
        super().__init__(name="line")
        self.slope = self.add_weight(shape=(), initializer="ones", name="slope")
        self.shift = self.add_weight(shape=(), initializer="zeros", name="shift")

    def call(self, inputs):
        return inputs * self.slope + self.shift


class Weights(keras.callbacks.Callback):
    """Record the slope whenever another callback could read it."""

    def __init__(self):
        super().__init__()
        self.raw, self.validated, self.saved = [1.0], [], []

    def _slope(self):
        return float(self.model.slope.numpy())

    def on_train_batch_end(self, batch, logs=None):
        self.raw.append(self._slope())

    def on_test_batch_end(self, batch, logs=None):
        self.validated.append(self._slope())

    def on_epoch_end(self, epoch, logs=None):
        self.saved.append(self._slope())


def _line():
    model = Line()
    model.compile(
        optimizer=keras.optimizers.SGD(RATE),
        loss=lambda y, prediction: prediction,  # its gradient is 1 everywhere
        jit_compile=False,
    )
    model.build((None, 1))
    return model


def _fit(model, callbacks, *, epochs=4):
    x = np.ones((STEPS * 2, 1), "float32")
    validation = (np.ones((2, 1), "float32"), np.zeros((2, 1), "float32"))
    model.fit(
        x,
        np.zeros_like(x),
        batch_size=2,
        epochs=epochs,
        validation_data=validation,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )


def _ema(raw, decay, warmup):
    average, averages = raw[0], []
    for n, weight in enumerate(raw[1:], start=1):
        d = min(decay, (1 + n) / (10 + n)) if warmup else decay
        average = d * average + (1 - d) * weight
        averages.append(average)
    return averages[STEPS - 1 :: STEPS]


@pytest.mark.parametrize("warmup", matrix([True, False], default=[True]))
@pytest.mark.parametrize("first", matrix(["average", "best"], default=["average"]))
def test_ema_is_validated_and_saved_while_training_uses_the_raw_weights(tmp_path, first, warmup):
    model, weights = _line(), Weights()
    average = Ema(decay=0.4, warmup=warmup)
    best = BestEpoch(tmp_path, objective="loss", patience=None)
    _fit(model, [average, best, weights] if first == "average" else [weights, best, average])
    np.testing.assert_allclose(weights.raw, 1 - RATE * np.arange(13), atol=1e-6)
    expected = _ema(weights.raw, 0.4, warmup)
    np.testing.assert_allclose(weights.validated, expected, atol=1e-6)
    np.testing.assert_allclose(weights.saved, expected, atol=1e-6)
    weights_file.load(model.weights, tmp_path / "best-00004.safetensors")
    assert best.epoch == 3
    assert float(model.slope.numpy()) == pytest.approx(expected[3], abs=1e-6)


def test_swa_is_the_mean_of_the_last_epochs():
    model, weights = _line(), Weights()
    _fit(model, [Swa(start=0.4), weights])  # fit knows the number of epochs
    ends = weights.raw[STEPS::STEPS]
    expected = [ends[0], *(np.mean(ends[1 : n + 1]) for n in (1, 2, 3))]
    np.testing.assert_allclose(weights.raw, 1 - RATE * np.arange(13), atol=1e-6)
    np.testing.assert_allclose(weights.validated, expected, atol=1e-6)
    np.testing.assert_allclose(weights.saved, expected, atol=1e-6)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "make",
    [lambda: Ema(decay=0.4), pytest.param(lambda: Swa(epochs=4), marks=pytest.mark.matrix)],
)
def test_last_epochs_average_stays_in_the_model(tmp_path, make):
    model, weights = _line(), Weights()
    best = BestEpoch(tmp_path, objective="loss", patience=None)
    _fit(model, [make(), weights, best])
    best.restore(model)  # the last epoch is the best, so no file is read
    assert float(model.slope.numpy()) == weights.validated[-1] != weights.raw[-1]


def test_variable_that_starts_late_is_averaged_from_then():
    model, average = _line(), Ema(decay=0.4, warmup=False)
    model.shift.trainable = False

    class Unfreeze(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.shift.trainable = epoch > 0

    average.set_model(model)
    unfreeze = Unfreeze()
    unfreeze.set_model(model)
    for epoch in range(2):
        unfreeze.on_epoch_begin(epoch)
        average.on_epoch_begin(epoch)
        model.slope.assign_sub(RATE)
        if epoch:
            model.shift.assign_sub(RATE)
        average.on_train_batch_end(0)
    average.on_epoch_end(1)
    assert len(average.shadows) == 2
    assert float(model.shift.numpy()) == pytest.approx(-0.6 * RATE)
    assert float(model.slope.numpy()) == pytest.approx(
        0.4 * (1 - 0.6 * RATE) + 0.6 * (1 - 2 * RATE)
    )


def test_raw_weights_are_in_the_model_only_for_a_checkpoint():
    model, weights, average = _line(), Weights(), Ema(decay=0.4)
    _fit(model, [average, weights], epochs=1)
    before = float(model.slope.numpy())
    with average.raw_weights():
        assert float(model.slope.numpy()) == weights.raw[-1]
        assert before in [float(v.numpy()) for v in average.variables]
    assert float(model.slope.numpy()) == before


def test_resumed_run_has_the_same_average():
    whole, weights = _line(), Weights()
    _fit(whole, [Ema(decay=0.4), weights], epochs=2)
    model, average = _line(), Ema(decay=0.4)
    _fit(model, [average], epochs=1)
    with average.raw_weights():
        state = [v.numpy() for v in [*model.weights, *average.variables]]
    model, average = _line(), Ema(decay=0.4)
    average.build(model)
    for variable, value in zip([*model.weights, *average.variables], state, strict=True):
        variable.assign(value)
    _fit(model, [average], epochs=1)
    assert float(model.slope.numpy()) == float(whole.slope.numpy())


@pytest.mark.matrix
def test_two_replicas_have_the_average_of_one():
    devices = tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        pytest.skip("TensorFlow was started with one logical CPU")
    alone, weights = _line(), Weights()
    _fit(alone, [Ema(decay=0.4), weights], epochs=2)
    # The collectives of two strategies in one process would interfere with each other.
    strategy = tf.distribute.MirroredStrategy(
        [d.name for d in devices[:2]], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        model, together = _line(), Weights()
    _fit(model, [Ema(decay=0.4), together], epochs=2)
    np.testing.assert_allclose(together.raw, weights.raw, atol=1e-6)
    np.testing.assert_allclose(together.validated, weights.validated, atol=1e-6)
    copies = [float(value) for value in strategy.experimental_local_results(model.slope.value)]
    assert copies == [together.validated[-1]] * 2


@pytest.mark.parametrize(
    ("cls", "keys", "named"),
    [
        (Ema, {"decay": 1.0}, "`decay`.*1.0"),
        (Ema, {"decay": -1}, "`decay`.*-1"),
        (Swa, {"epochs": 4, "start": -1}, "`start`.*-1"),
        (Swa, {"epochs": 4, "start": 0.75}, "`start`.*below 0.75.*0.75"),
        (Swa, {"epochs": 1}, "`epochs`.*1"),
    ],
)
def test_bad_key_is_named(cls, keys, named):
    with pytest.raises(ValueError, match=named):
        cls(**keys)


@pytest.mark.matrix
@pytest.mark.parametrize("average", [Ema(), Swa(epochs=4)], ids=["ema", "swa"])
def test_model_without_variables_is_refused(average):
    model = keras.Sequential([keras.layers.Dense(1)], name="unbuilt")
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="the average needs the variables of 'unbuilt' before"):
        model.fit(np.ones((2, 2)), np.ones(2), verbose=0, callbacks=[average])


def test_swa_just_within_its_bound_averages_two_epochs():
    model, weights = _line(), Weights()
    average = Swa(epochs=4, start=0.74)
    _fit(model, [average, weights])
    assert int(average.count.numpy()) == 2


@pytest.mark.parametrize("average", [Ema(decay=0.4), Swa(start=0.4)], ids=["ema", "swa"])
def test_an_average_starts_anew_for_another_model(average):
    found = []
    for epochs in (4, 2):
        model = _line()
        _fit(model, [average], epochs=epochs)
        found.append(float(model.slope.numpy()))
    alone = _line()
    fresh = Ema(decay=0.4) if isinstance(average, Ema) else Swa(start=0.4)
    _fit(alone, [fresh], epochs=2)
    assert found[1] == pytest.approx(float(alone.slope.numpy()))
    assert found[0] != pytest.approx(found[1])


@pytest.mark.parametrize(
    "wrapped", [lambda one: one, keras.optimizers.LossScaleOptimizer], ids=["plain", "float16"]
)
def test_ema_counts_updates_not_steps(wrapped):
    model, average = _line(), Ema(decay=0.4)
    optimizer = wrapped(keras.optimizers.SGD(RATE, gradient_accumulation_steps=3))
    model.compile(optimizer, model.loss)
    _fit(model, [average])
    assert int(average.count.numpy()) == 4  # of 12 steps


def test_ema_needs_each_step():
    model, average = _line(), Ema(decay=0.4)
    model.compile(keras.optimizers.SGD(RATE), model.loss, steps_per_execution=2)
    with pytest.raises(ValueError, match="`steps_per_execution` must be 1 .* Received: 2"):
        _fit(model, [average])


@pytest.mark.parametrize("loads", [True, False])
def test_next_fit_trains_weights_that_were_loaded_and_else_goes_on(loads, caplog):
    model, average, weights = _line(), Ema(decay=0.4), Weights()
    _fit(model, [average], epochs=1)
    if loads:
        model.set_weights([np.float32(5), np.float32(0)])
    with caplog.at_level("INFO", logger="ftkeras"):
        _fit(model, [average, weights], epochs=1)
    start = 5 if loads else 1 - STEPS * RATE
    np.testing.assert_allclose(weights.raw[1:], start - RATE * np.arange(1, STEPS + 1), atol=1e-6)
    assert ("weights were changed since the last fit" in caplog.text) is loads
    if loads:
        assert weights.validated[0] == pytest.approx(_ema([5, *weights.raw[1:]], 0.4, True)[0])


def test_next_fit_after_an_interruption_averages_anew(caplog):
    model, average = _line(), Ema(decay=0.999, warmup=False)
    _fit(model, [average], epochs=1)

    def interrupt(batch, logs=None):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _fit(model, [average, keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)])
    model.set_weights([np.float32(100), np.float32(0)])
    with caplog.at_level("INFO", logger="ftkeras"):
        _fit(model, [average], epochs=1)
    assert "the last fit was interrupted" in caplog.text
    assert float(model.slope.numpy()) == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("average", [Ema(), Swa()], ids=["ema", "swa"])
def test_model_that_was_not_trained_yet_is_evaluated_as_it_is(average):
    model, x = _line(), np.ones((2, 1), "float32")
    assert model.evaluate(x, x, verbose=0, callbacks=[average]) == pytest.approx(1.0)
