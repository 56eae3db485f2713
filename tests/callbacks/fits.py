"""Calls of `fit` that can be interrupted, of a small model with every kind of state."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import ftkeras
from tests.finished import ENCODER

EXAMPLES, BATCH, EPOCHS = 40, 8, 3
STEPS = EXAMPLES // BATCH
RNG = np.random.default_rng(0)
X = RNG.normal(size=(EXAMPLES, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int32")


class Interrupted(Exception):  # noqa: N818  as KeyboardInterrupt
    """Raised in the middle of a training."""


class Interrupts(keras.callbacks.Callback):
    """Raise after a number of steps, or at the end of an epoch; record which steps were trained."""

    def __init__(self, *, steps: int | None = None, epoch: int | None = None):
        super().__init__()
        self.steps, self.epoch_to_end = steps, epoch
        self.trained: list[tuple[int, int]] = []

    # Attributes that change are not lost, because each interruption has a callback of its own.
    def state(self) -> dict:
        return {}

    def restore_state(self, state: dict) -> None:
        pass

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.trained.append((self.now, batch))
        if len(self.trained) == self.steps:
            raise Interrupted

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch_to_end:
            raise Interrupted


class Batches(keras.utils.PyDataset):
    """Batches in an order that Keras shuffles, of rows that the dataset shuffles by itself."""

    def __init__(self):
        super().__init__()
        self.rng, self.rows = np.random.default_rng(1), np.arange(EXAMPLES)

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        rows = self.rows[index * BATCH : (index + 1) * BATCH]
        return X[rows], Y[rows]

    def on_epoch_end(self):
        self.rng.shuffle(self.rows)


def small(**options: Any) -> keras.Model:
    """Return a compiled model with dropout, unbuilt if the case allows it."""
    model = keras.Sequential(
        [keras.layers.Dense(6, "tanh"), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options = {"optimizer": keras.optimizers.Adam(0.05), "metrics": ["accuracy"], **options}
    model.compile(loss=loss, **options)
    return model


def backbone() -> keras.Model:
    """Return a functional model with a nested backbone, as KerasHub makes them."""
    ids = keras.Input((4,))
    x = keras.layers.LayerNormalization(name="embeddings_layer_norm")(ids)
    for number in range(2):
        x = keras.layers.Dense(8, "tanh", name=f"transformer_layer_{number}")(x)
        x = keras.layers.Dropout(0.2)(x)
    inner = keras.Model(ids, x, name="backbone")
    model = keras.Model(ids, keras.layers.Dense(2, name="logits")(inner(ids)))
    model.compile(
        ftkeras.optimizers.AdamW(
            ftkeras.schedules.Warmup(ftkeras.schedules.Linear(0.05, total_steps=15), steps=3)
        ),
        loss=ftkeras.losses.CrossEntropy(),
        metrics=["accuracy"],
    )
    return model


def arrays() -> dict[str, Any]:
    return {"x": X, "y": Y, "batch_size": BATCH, "validation_data": (X[:10], Y[:10])}


def dataset() -> dict[str, Any]:
    shuffled = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(20, seed=3)
    return {"x": shuffled.batch(BATCH).prefetch(2)}


def generator() -> dict[str, Any]:
    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rng = np.random.default_rng(2)
        while True:
            rows = rng.integers(0, EXAMPLES, BATCH)
            yield X[rows], Y[rows]

    return {"x": batches(), "steps_per_epoch": STEPS}


def unknown_length() -> dict[str, Any]:
    kept = tf.data.Dataset.from_tensor_slices((X, Y)).filter(lambda x, y: x[0] > -9)
    return {"x": kept.batch(BATCH)}


def repeated() -> dict[str, Any]:
    """Return epochs that do not begin where a pass over the data does."""
    shuffled = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(EXAMPLES, seed=3).repeat()
    return {"x": shuffled.batch(7), "steps_per_epoch": STEPS}


def mixed_precision() -> keras.Model:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        adam = keras.optimizers.Adam(0.05, use_ema=True, gradient_accumulation_steps=2)
        return small(optimizer=adam)
    finally:
        keras.config.set_dtype_policy("float32")


def mirrored() -> keras.Model:
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        return small()


def texts() -> dict[str, Any]:
    words = ("good", "bad", "a dull film", "worth every minute")
    return {"x": [words[n % 4] for n in range(EXAMPLES)], "y": list(Y), "batch_size": BATCH}


def text_classifier() -> keras.Model:
    model = ftkeras.TextClassifier.from_pretrained(ENCODER, labels=["a", "b"], max_length=8)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def regularized() -> keras.Model:
    """Return a classifier whose regularizers draw random numbers of their own."""
    model = text_classifier()
    ftkeras.regularizers.LayerDrop(p=0.3).apply(model)
    ftkeras.regularizers.FreeLB(steps=2).apply(model)
    return model


def unfrozen() -> keras.Model:
    """Return a classifier for gradual unfreezing, which makes an update in every second step."""
    model, adamw = text_classifier(), ftkeras.optimizers.AdamW(1e-2, gradient_accumulation_steps=2)
    model.compile(adamw, "sparse_categorical_crossentropy")
    return model


class TwoOptimizers(keras.Sequential):
    """A model whose first layer has an optimizer of its own, in a list of a dict."""

    def __init__(self):
        layers = [keras.layers.Dense(6, "tanh"), keras.layers.Dense(2)]
        super().__init__([keras.Input((4,)), *layers])
        first, second = layers
        self.kept = {"first": [keras.optimizers.Adam(0.05)]}
        self.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        self.pairs = (self.kept["first"][0], first), (self.optimizer, second)
        for optimizer, layer in self.pairs:
            optimizer.build(layer.trainable_variables)

    def train_step(self, data):
        x, y = data
        variables = [layer.trainable_variables for _, layer in self.pairs]
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, variables)
        for (optimizer, _), of, to in zip(self.pairs, gradients, variables, strict=True):
            optimizer.apply_gradients(zip(of, to, strict=True))
        return {"loss": loss}


def monitoring(_: keras.Model) -> list[keras.callbacks.Callback]:
    return [
        keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True, min_delta=0.3),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.3),
    ]


@dataclass
class Case:
    """A call of `fit`. All its parts are made anew for each call.

    Attributes:
        data: returns the arguments that are the data.
        model: returns the compiled model.
        callbacks: returns further callbacks of the model.
        save_freq: of ExactResume.
        is_shifted: whether ExactResume changes the order of the data.
        count: steps that are trained in one execution.
    """

    data: Callable[[], dict[str, Any]] = arrays
    model: Callable[[], keras.Model] = small
    callbacks: Callable[[Any], list[keras.callbacks.Callback]] = lambda model: []
    save_freq: int | str = 2
    is_shifted: bool = False
    count: int = 1


CASES = {
    "arrays": Case(callbacks=monitoring),
    "dataset": Case(
        dataset, backbone, lambda _: [ftkeras.averages.Ema(decay=0.9)], save_freq=3, is_shifted=True
    ),
    "py_dataset": Case(lambda: {"x": Batches()}),
    "generator": Case(generator),
    "unknown_length": Case(unknown_length, save_freq=1),
    "repeated": Case(repeated, is_shifted=True),
    "between_epochs": Case(save_freq="epoch", callbacks=monitoring),
    "compiled": Case(
        model=lambda: small(steps_per_execution=2, jit_compile=True), save_freq=1, count=2
    ),
    "mixed_precision": Case(model=mixed_precision, save_freq=1),
    "mirrored": Case(dataset, mirrored, is_shifted=True),
    "two_optimizers": Case(model=TwoOptimizers),
    "texts": Case(texts, text_classifier),
    "regularized": Case(texts, regularized),
    "swa": Case(arrays, backbone, lambda _: [ftkeras.averages.Swa(start=0.3)], save_freq="epoch"),
    "unfrozen": Case(texts, unfrozen, ftkeras.policies.GradualUnfreezing().callbacks),
    "unfrozen_by_epoch": Case(
        texts, unfrozen, ftkeras.policies.GradualUnfreezing().callbacks, save_freq="epoch"
    ),
}


@dataclass
class Outcome:
    """The outcome of a training: all variables, the history, and the steps of the last call."""

    variables: list[np.ndarray]
    history: dict[str, list[float]]
    epochs: list[int]
    trained: list[tuple[int, int]] = field(default_factory=list)


def fit(case: Case, folder: Any, interrupts: Interrupts | None = None, **options: Any) -> Outcome:
    """Make everything anew, and train; without ExactResume if `folder` is None."""
    keras.utils.set_random_seed(7)
    model, data = case.model(), case.data()
    interrupts = interrupts or Interrupts()
    callbacks = [interrupts, *case.callbacks(model)]
    if folder is not None:
        callbacks.append(ftkeras.callbacks.ExactResume(folder, save_freq=case.save_freq))
    options = {"epochs": EPOCHS, "verbose": 0, **data, **options}
    history = model.fit(callbacks=callbacks, **options)
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    values = [np.asarray(one.numpy()) for one in variables]
    return Outcome(values, history.history, history.epoch, interrupts.trained)


def interrupt(case: Case, folder: Any, **when: int) -> list[tuple[int, int]]:
    """Train until the interruption; return the steps that were trained."""
    interrupts = Interrupts(**when)
    with contextlib.suppress(Interrupted):
        fit(case, folder, interrupts)
        raise AssertionError("was not interrupted")
    return interrupts.trained


def require_equal(one: Outcome, other: Outcome) -> None:
    """Assert that two trainings ended with the same bits."""
    assert one.history == other.history
    assert one.epochs == other.epochs
    pairs = itertools.zip_longest(one.variables, other.variables)
    for number, (mine, theirs) in enumerate(pairs):
        assert mine.dtype == theirs.dtype
        assert mine.tobytes() == theirs.tobytes(), number
