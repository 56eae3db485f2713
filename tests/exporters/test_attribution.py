"""Integrated gradients are complete, and equal a sum over many points computed by hand."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.explanations.integrated_gradients import IntegratedGradients
from ftkeras.exporters._weights import Weights
from ftkeras.problems.classification import Classification
from tests.exporters import small

EVIDENCE = Classification(labels=("bad", "good")).evidence


@pytest.fixture(scope="module")
def weights():
    return Weights(small.model())


@pytest.fixture(scope="module")
def ids():
    layer = small.text_layer()
    return layer([b"Worth every minute.", b"not good"])["token_ids"].to_tensor(0)


@pytest.fixture(scope="module")
def found(weights, ids):
    """Return attributions and gap for the predicted label of each text."""
    wordpiece = small.text_layer().tokenizer
    special = [wordpiece.cls_id, wordpiece.sep_id]
    attribute = IntegratedGradients(
        weights=weights, evidence=EVIDENCE, pad_id=0, special_ids=special, steps=48
    )
    label = tf.argmax(weights({"token_ids": ids})[0], axis=-1)
    return [x.numpy() for x in tf.function(attribute, autograph=False)({"token_ids": ids}, label)]


def test_attributions_add_up_to_the_change_of_the_log_odds(weights, ids, found):
    wordpiece = small.text_layer().tokenizer
    special = np.isin(ids, [0, wordpiece.cls_id, wordpiece.sep_id])
    model = small.model()

    def log_odds(token_ids, label, mask):
        features = model.encoder(tf.constant(token_ids), padding_mask=mask)
        p = tf.nn.softmax(model.head(features, mask)).numpy()[np.arange(len(label)), label]
        return np.log(p / (1 - p))

    label = weights({"token_ids": ids})[0].numpy().argmax(axis=1)
    mask = np.asarray(ids) != 0
    change = log_odds(ids.numpy(), label, mask) - log_odds(np.where(special, ids, 0), label, mask)
    assert np.abs(change).min() > 0.1
    np.testing.assert_allclose(found[0].sum(axis=1), change, rtol=2e-3)
    np.testing.assert_allclose(found[1], change - found[0].sum(axis=1), atol=1e-4)


def test_special_tokens_and_padding_have_no_attribution(ids, found):
    wordpiece = small.text_layer().tokenizer
    special = np.isin(ids, [0, wordpiece.cls_id, wordpiece.sep_id])
    assert special.sum() >= 5
    assert not found[0][special].any()
    assert (np.abs(found[0][~special]) > 1e-4).all()


@pytest.mark.matrix
def test_attributions_equal_a_sum_over_many_points(weights, ids, found):
    label = tf.argmax(weights({"token_ids": ids})[0], axis=-1)
    wordpiece = small.text_layer().tokenizer
    special = np.isin(ids, [0, wordpiece.cls_id, wordpiece.sep_id])
    table = small.model().encoder.embeddings.token.numpy()
    difference = table[ids.numpy()] - table[np.where(special, ids, 0)]

    @tf.function
    def gradient_at(offset):
        with tf.GradientTape() as tape:
            tape.watch(offset)
            p = tf.nn.softmax(weights({"token_ids": ids}, embedding_offset=offset)[0])
            own = tf.gather(p, label, batch_dims=1)
            odds = tf.math.log(own / (1 - own))
        return tape.gradient(odds, offset)

    points = (np.arange(400) + 0.5) / 400
    offsets = [tf.constant((point - 1) * difference, tf.float32) for point in points]
    total = np.mean([gradient_at(offset) for offset in offsets], axis=0)
    np.testing.assert_allclose(found[0], (difference * total).sum(axis=-1), atol=2e-3)


@pytest.mark.matrix
def test_more_points_leave_a_smaller_gap(weights, ids):
    label = tf.argmax(weights({"token_ids": ids})[0], axis=-1)
    gaps = [
        np.abs(
            IntegratedGradients(
                weights=weights, evidence=EVIDENCE, pad_id=0, special_ids=[], steps=steps
            )({"token_ids": ids}, label)[1]
        ).max()
        for steps in (2, 32)
    ]
    assert gaps[1] < gaps[0] / 10


@pytest.mark.parametrize("steps", [0, 1.5, True])
def test_steps_out_of_bounds_are_named(weights, steps):
    with pytest.raises(ValueError, match=f"`steps`.*Received: {steps}"):
        IntegratedGradients(
            weights=weights, evidence=EVIDENCE, pad_id=0, special_ids=[], steps=steps
        )
