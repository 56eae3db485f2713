import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import Classification
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.optimizers.adamw import AdamW
from ftkeras.optimizers.sgd import SGD
from ftkeras.training.finetuner import FineTuner
from tests.matrix import matrix

RNG = np.random.default_rng(0)
TOKEN_IDS = RNG.integers(1, 20, size=(7, 6)).astype("int32")
TOKEN_IDS[2, 4:] = TOKEN_IDS[5, 2:] = 0
LABELS = RNG.integers(0, 3, size=7)
WEIGHTS = RNG.uniform(0.5, 2, size=7).astype("float32")


def _model(accumulate: int = 1, optimizer=None, regularizers=(), **encoder) -> FineTuner:
    keras.utils.set_random_seed(1)
    sizes = {"vocabulary_size": 20, "layers": 2, "hidden": 8, "heads": 2, "positions": 8}
    rates = {"dropout": 0.0, "attention_dropout": 0.0}
    model = FineTuner(
        encoder=Bert(**{**sizes, **rates, "seed": 1, **encoder}),
        head=Classification(classes=3, dropout=0.0, seed=1),
        pad_id=0,
        make_step=dict,
        extra_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        regularizers=regularizers,
    )
    model({"token_ids": TOKEN_IDS})
    model.compile(
        optimizer=optimizer or AdamW(learning_rate=0.01),
        loss=CrossEntropy(),
        accumulate=accumulate,
        jit_compile=False,
    )
    return model


def _split(array: np.ndarray, count: int, fill: int) -> np.ndarray:
    """Split [examples, …] into [count, rows, …]; fill up micro-batches that have fewer rows."""
    parts = np.array_split(array, count)
    rows = len(parts[0])
    blank = np.full_like(array[:1], fill)
    return np.stack([np.concatenate([p, *[blank] * (rows - len(p))]) for p in parts])


def _fit(model: FineTuner, *weights) -> dict:
    batch = ({"token_ids": TOKEN_IDS}, LABELS, *weights)
    if (count := model.accumulate) > 1:
        # A position without an example must not count: give it a weight that would show.
        weights = [_split(w, count, 9) for w in weights]
        mask = _split(np.ones(len(LABELS), bool), count, False)
        answers = {"targets": _split(LABELS, count, 0), "example_mask": mask}
        batch = ({"token_ids": _split(TOKEN_IDS, count, 0)}, answers, *weights)
    dataset = tf.data.Dataset.from_tensors(batch).repeat(3)
    return model.fit(dataset, epochs=1, shuffle=False, verbose=0).history


# Whole and split batches add up the same numbers in another order, so they differ by rounding. No
# sum here has more than some hundred terms, and each addition is off by at most half an epsilon.
ROUNDING = 500 * float(np.finfo("float32").eps)


@pytest.mark.parametrize("micro_batches", matrix([2, 3, 7, 20], default=[3]))
@pytest.mark.parametrize("weights", [pytest.param((), marks=pytest.mark.matrix), (WEIGHTS,)])
def test_accumulated_steps_equal_those_of_the_whole_batch(micro_batches, weights):
    rate, steps = 0.1, 3
    # Plain SGD, for Adam would scale up a gradient that is rounding alone to a whole step.
    whole, parts = (
        _model(count, SGD(learning_rate=rate, momentum=0.0, clip_norm=1.0), layers=1)
        for count in (1, micro_batches)
    )
    start = [variable.numpy() for variable in whole.weights]
    expected, history = _fit(whole, *weights), _fit(parts, *weights)
    assert int(parts.optimizer.iterations) == steps
    assert history["loss"] == pytest.approx(expected["loss"], rel=ROUNDING)
    assert history["accuracy"] == expected["accuracy"]
    # The clipped gradient is at most 1 long, so a step moves no weight by more than the rate.
    tolerance = steps * rate * ROUNDING
    for one, other in zip(parts.weights, whole.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6, atol=tolerance)
    moved = [np.abs(v.numpy() - w).max() for v, w in zip(whole.weights, start, strict=True)]
    assert max(moved) > 1000 * tolerance


def test_tokens_with_the_pad_id_are_padding():
    model = _model()
    short = {"token_ids": TOKEN_IDS[5:6, :2]}
    np.testing.assert_allclose(model(short), model({"token_ids": TOKEN_IDS[5:6]}), atol=1e-6)


def test_sample_weights_scale_the_loss():
    model = _model()
    batch = ({"token_ids": TOKEN_IDS}, LABELS)
    plain = model.evaluate(tf.data.Dataset.from_tensors(batch), verbose=0)[0]
    twice = tf.data.Dataset.from_tensors((*batch, 2 * np.ones(7, "float32")))
    assert model.evaluate(twice, verbose=0)[0] == pytest.approx(2 * plain, rel=1e-5)


def test_saved_variables_are_the_encoders_and_the_heads():
    model = _model()
    assert {v.path for v in model.saved_variables} == {v.path for v in model.weights}


class Two:
    """A regularizer whose term is 2."""

    replaces_loss = False

    def __call__(self, step):
        return 2.0


def test_regularizer_adds_to_the_training_loss_only():
    plain, regulated = _model(layers=1), _model(layers=1, regularizers=(Two(), Two()))
    expected, history = _fit(plain), _fit(regulated)
    assert history["loss"][0] == pytest.approx(expected["loss"][0] + 4, rel=1e-5)
    validation = tf.data.Dataset.from_tensors(({"token_ids": TOKEN_IDS}, LABELS))
    assert regulated.evaluate(validation, verbose=0)[0] == pytest.approx(
        plain.evaluate(validation, verbose=0)[0], rel=1e-4
    )


class Size:
    """A regularizer whose term is the size of the logits."""

    replaces_loss = False

    def __call__(self, step):
        return keras.ops.mean(step["logits"] ** 2)


def test_batch_without_an_example_changes_nothing():
    sgd = SGD(learning_rate=0.1, momentum=0.0)
    model = _model(optimizer=sgd, regularizers=(Size(),), layers=1)
    before = [variable.numpy() for variable in model.weights]
    answers = {"targets": LABELS, "example_mask": np.zeros(len(LABELS), bool)}
    batch = tf.data.Dataset.from_tensors(({"token_ids": TOKEN_IDS}, answers))
    model.fit(batch, shuffle=False, verbose=0)
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value)


@pytest.mark.parametrize("accumulate", matrix([1, 2], default=[2]))
def test_variables_are_freed_with_the_model(accumulate):
    # TensorFlow's registry of gradients kept the graph of each step that was ever traced.
    model = _model(accumulate, layers=1, dropout=0.1, attention_dropout=0.1)
    _fit(model)
    held = [weakref.ref(v.value) for v in (*model.variables, *model.optimizer.variables)]
    del model
    gc.collect()
    assert not [variable() for variable in held if variable() is not None]
