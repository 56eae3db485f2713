"""Packing is exact: logits and training equal those of texts that are not packed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.data.batching.packed import Packed
from ftkeras.data.feed import TrainingFeed
from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import POOLINGS, Classification
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.optimizers.sgd import SGD
from ftkeras.training.finetuner import FineTuner
from tests.data.batching.making import examples_of
from tests.matrix import examples, matrix

LENGTHS = [3, 40, 17, 8, 25, 1, 40, 12, 9, 31, 2, 22]


def _model(pooling="pooled", accumulate=1, jit_compile=False, layers=2) -> FineTuner:
    """Build a model whose weights are so large that a wrong attention mask shows."""
    keras.utils.set_random_seed(1)
    sizes = {"vocabulary_size": 20, "layers": layers, "hidden": 16, "heads": 2, "positions": 48}
    model = FineTuner(
        encoder=Bert(**sizes, dropout=0.0, attention_dropout=0.0, seed=1),
        head=Classification(classes=3, dropout=0.0, pooling=pooling, seed=1),
        pad_id=0,
        extra_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    draws = np.random.default_rng(2)
    for variable in model.trainable_variables:
        variable.assign(np.array(variable) + draws.normal(size=variable.shape) * 0.2)
    optimizer = SGD(learning_rate=0.1)
    model.compile(
        optimizer=optimizer, loss=CrossEntropy(), accumulate=accumulate, jit_compile=jit_compile
    )
    optimizer.build(model.trainable_variables)
    return model


def _alone(model, examples) -> np.ndarray:
    """Return the logits of each text by itself, without padding."""
    rows = []
    for position in range(len(examples)):
        ids = examples.ids(position)
        segments = np.arange(len(ids)) >= examples.second_starts[position]
        rows.append(
            model({"token_ids": ids[None], "segment_ids": segments[None].astype("int32")})[0]
        )
    return np.array(rows)


@pytest.mark.parametrize("pooling", matrix(POOLINGS, default=["mean"]))
@pytest.mark.parametrize("pairs", matrix([False, True], default=[True]))
def test_packed_logits_equal_those_of_each_text_alone(pooling, pairs):
    model, examples = _model(pooling), examples_of(LENGTHS, pairs=pairs)
    batching = Packed(batch_size=len(LENGTHS), pad_id=0, max_length=48)
    (positions,) = batching.plan(examples.lengths, np.arange(len(LENGTHS)))[0]
    assert positions.shape[1] > 2
    logits = np.array(model(batching.collate(examples, positions)))
    there = positions.reshape(-1) >= 0
    expected = _alone(model, examples)[positions.reshape(-1)[there]]
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(logits[there], expected, atol=1e-5)


@pytest.fixture(scope="module")
def any_pooling():
    return {pooling: _model(pooling) for pooling in POOLINGS}


@pytest.mark.matrix
@examples(10)
@given(
    row=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    padding=st.integers(0, 8),
    holes=st.integers(0, 1),
    pooling=st.sampled_from(POOLINGS),
)
def test_any_row_of_texts_gives_their_own_logits(any_pooling, row, padding, holes, pooling):
    examples = examples_of(row, pairs=True)
    batching = Packed(batch_size=1, pad_id=0, max_length=48)
    positions = np.array([[*range(len(row)), *[-1] * holes], [-1] * (len(row) + holes)])
    batching._row_length = lambda longest: sum(row) + padding
    logits = np.array(any_pooling[pooling](batching.collate(examples, positions)))
    assert np.isfinite(logits).all()
    expected = _alone(any_pooling[pooling], examples)
    np.testing.assert_allclose(logits[: len(row)], expected, atol=1e-5)


def _padded(examples, batches) -> tf.data.Dataset:
    def generate():
        for positions in batches:
            texts = [examples.ids(p) for p in positions]
            ids = np.zeros((len(texts), 48), "int32")
            for row, text in zip(ids, texts, strict=True):
                row[: len(text)] = text
            yield {"token_ids": ids}, examples.targets[positions]

    signature = (
        {"token_ids": tf.TensorSpec((None, 48), tf.int32)},
        tf.TensorSpec((None,), tf.int64),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))


@pytest.mark.parametrize(
    ("parts", "jit_compile"),
    [
        (3, False),
        pytest.param(1, False, marks=pytest.mark.matrix),
        pytest.param(3, True, marks=pytest.mark.matrix),
    ],
)
def test_packed_training_equals_padded_training(parts, jit_compile):
    examples = examples_of(LENGTHS * 2)
    batching = Packed(batch_size=7, pad_id=0, max_length=48, parts=parts)
    feed = TrainingFeed(examples, batching, seed=3)
    packed = _model(accumulate=parts, jit_compile=jit_compile, layers=1)
    padded = _model(layers=1)
    histories = [
        model.fit(dataset, epochs=1, shuffle=False, verbose=0).history
        for model, dataset in (
            (packed, feed.dataset(0)),
            (padded, _padded(examples, feed.batches(0))),
        )
    ]
    assert int(packed.optimizer.iterations) == int(padded.optimizer.iterations) == 4
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-5)
    assert histories[0]["accuracy"] == pytest.approx(histories[1]["accuracy"])
    for one, other in zip(packed.weights, padded.weights, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), atol=1e-6)
