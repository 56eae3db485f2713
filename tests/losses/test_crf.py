"""The loss of chains: its formula, and words among other tokens."""

import numpy as np
import pytest

from ftkeras.losses.crf import Crf
from ftkeras.support.protocols import Loss
from tests.losses import references

RANDOM = np.random.default_rng(3)
TRANSITIONS = RANDOM.normal(size=(6, 6)).astype(np.float32)
LOGITS = RANDOM.normal(size=(3, 4, 5)).astype(np.float32) * 2
TAGS = np.array([[-1, 3, -1, 1], [0, -1, -1, -1], [2, 0, 4, -1]])


def test_loss_equals_its_formula_and_links_the_words_of_a_text_only():
    loss = Crf(transitions=TRANSITIONS)
    assert isinstance(loss, Loss)
    losses = np.array(loss.call(TAGS, LOGITS))
    assert (losses[TAGS < 0] == 0).all()
    for row, tags in enumerate(TAGS):
        words = np.flatnonzero(tags >= 0)
        wanted = references.crf(tags[words], LOGITS[row, words].astype(float), TRANSITIONS)
        np.testing.assert_allclose(losses[row, words], wanted / len(words), rtol=1e-5)
    assert float(loss(TAGS, LOGITS)) == pytest.approx(losses.mean())


def test_texts_without_words_have_no_loss():
    nothing = np.full((2, 3), -1), np.ones((2, 3, 5), np.float32)
    assert not np.array(Crf(transitions=TRANSITIONS).call(*nothing)).any()


def test_a_tag_that_is_no_class_is_noticed():
    tags = np.where(TAGS == 4, 7, TAGS)
    found = np.array(Crf(transitions=TRANSITIONS).call(tags, LOGITS))
    np.testing.assert_array_equal(np.isnan(found), (TAGS >= 0) & [[False], [False], [True]])


def test_loss_of_a_file_says_what_it_lacks():
    loss = Crf.from_config(Crf(transitions=TRANSITIONS).get_config())
    with pytest.raises(ValueError, match="`transitions` must be those of the head.*None"):
        loss(TAGS, LOGITS)
