"""The head that answers each token."""

import numpy as np
import pytest

from ftkeras.heads.token_classification import TokenClassification

STATES = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)


def test_each_token_gets_the_dense_layer_of_its_state():
    head = TokenClassification(classes=5, seed=1)
    logits = np.array(head({"sequence": STATES}, np.ones((2, 3))))
    expected = STATES @ np.array(head.kernel) + np.array(head.bias)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)


def test_dropout_acts_in_training_only():
    head = TokenClassification(classes=5, dropout=0.5, seed=1)
    called = [np.array(head({"sequence": STATES}, None, training=t)) for t in (True, False)]
    assert not np.allclose(*called)


@pytest.mark.parametrize("wrong", [{"classes": 1}, {"classes": 2, "dropout": 1.0}])
def test_bad_argument_is_named(wrong):
    with pytest.raises(ValueError, match=f"`{list(wrong)[-1]}`"):
        TokenClassification(**wrong)
