"""The head of question answering, also of packed rows."""

import numpy as np

from ftkeras.heads.question_answering import QuestionAnswering
from ftkeras.support.absent import ABSENT_LOGIT

RNG = np.random.default_rng(3)


def _built(hidden=4):
    head = QuestionAnswering(seed=1)
    head.build({"sequence": (None, None, hidden)})
    head.bias.assign([0.5, -0.5])
    return head


def test_logits_are_linear_and_padding_is_none():
    head, states = _built(), RNG.normal(size=(2, 3, 4)).astype(np.float32)
    found = np.array(head({"sequence": states}, np.array([[1, 1, 1], [1, 0, 0]])))
    expected = states @ np.array(head.kernel) + np.array(head.bias)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(found[1, 0], expected[1, 0], rtol=1e-5)
    assert (found[1, 1:] == ABSENT_LOGIT).all()


def test_packed_texts_have_the_rows_that_they_have_alone():
    head, states = _built(), RNG.normal(size=(2, 5, 4)).astype(np.float32)
    # The second row holds one text; its other place is empty.
    members = np.zeros((2, 2, 5), bool)
    members[0, 0, :2] = members[0, 1, 2:5] = members[1, 0, :4] = True
    found = np.array(head({"sequence": states, "membership": members}, members.any(axis=1)))
    assert found.shape == (4, 5, 2)
    for row, (batch, first, stop) in enumerate([(0, 0, 2), (0, 2, 5), (1, 0, 4)]):
        alone = states[batch : batch + 1, first:stop]
        expected = np.array(head({"sequence": alone}, np.ones(alone.shape[:2])))[0]
        np.testing.assert_allclose(found[row, : stop - first], expected, rtol=1e-5)
        assert (found[row, stop - first :] == ABSENT_LOGIT).all()
    assert (found[3] == ABSENT_LOGIT).all()
