"""Test the distances of hidden states and of attention against NumPy, on two tiny encoders."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import rel_entr, softmax

from ftkeras.encoders.bert import Bert
from ftkeras.encoders.modernbert import Modernbert
from ftkeras.regularizers.distill_states import DistillStates

IDS = np.array([[2, 5, 6, 3], [2, 7, 3, 0], [0, 0, 0, 0]])  # the last row fills up a batch
MASK = IDS > 0
LENGTHS = (4, 3)
SETTINGS = {"vocabulary_size": 12, "hidden": 8, "heads": 2, "dropout": 0.3}


def _encoder(layers, **changes):
    encoder = Bert(**{**SETTINGS, **changes}, layers=layers, seed=layers)
    random = np.random.default_rng(layers)
    for variable in encoder.trainable_variables:  # larger than initial ones, so that they differ
        variable.assign(random.normal(scale=0.5, size=variable.shape))
    return encoder


@pytest.fixture(scope="module")
def encoders():
    return _encoder(2), _encoder(4)


def _term(student, teacher, **settings):
    term = DistillStates(**settings)
    term.attach(SimpleNamespace(encoder=student))
    term.use_teacher(teacher)
    return term


def _step():
    ids = tf.constant(IDS)
    return SimpleNamespace(inputs={"token_ids": ids}, padding_mask=ids > 0)


def _mean(values):
    """Return the mean over the first two rows of the mean over their tokens."""
    return np.mean([values[row, :length].mean() for row, length in enumerate(LENGTHS)])


def test_hidden_states_of_every_second_layer_are_compared(encoders):
    student, teacher = encoders
    own, others = (np.array(e.hidden_states(IDS, MASK)) for e in encoders)
    squares = ((own - others[::2]) ** 2).mean(axis=(0, 3))
    found = _term(student, teacher, weight=0.7)(_step())
    np.testing.assert_allclose(found, 0.7 * _mean(squares), rtol=1e-5)


def _attention(encoder, x):
    """Return probabilities and value relations of the last layer for one row of states."""
    layer = encoder.blocks[-1]
    kernel, bias = np.array(layer.qkv_kernel), np.array(layer.qkv_bias)
    query, key, value = np.split(x @ kernel + bias, 3, axis=1)
    heads = [np.split(part, encoder.heads, axis=1) for part in (query, key, value)]
    root = np.sqrt(x.shape[1] / encoder.heads)
    queries, keys, values = heads
    return (
        [softmax(q @ k.T / root, axis=1) for q, k in zip(queries, keys, strict=True)],
        [softmax(v @ v.T / root, axis=1) for v in values],
    )


def test_attention_and_relations_of_values_are_those_of_the_last_layers(encoders):
    found = float(_term(*encoders, match="attention")(_step()))
    rows = []
    for row, length in enumerate(LENGTHS):
        ours, its = (
            _attention(e, np.array(e.hidden_states(IDS, MASK)[-2])[row, :length]) for e in encoders
        )
        kinds = zip(its, ours, strict=True)
        rows.append(sum(np.mean(rel_entr(q, p).sum(axis=-1)) for q, p in kinds))
    np.testing.assert_allclose(found, np.mean(rows), rtol=1e-4)


@pytest.mark.parametrize("match", ["hidden", "attention"])
def test_only_the_student_learns_and_a_teacher_who_agrees_teaches_nothing(match, encoders):
    student, teacher = encoders
    term, step = _term(student, teacher, match=match), _step()
    with tf.GradientTape() as tape:
        value = term(step)
    variables = [*student.blocks[-1].trainable_variables, student.token_embedding]
    both = [v.value for v in (*variables, *teacher.trainable_variables)]
    gradients = tape.gradient(value, both)
    assert gradients[0] is not None
    assert all(gradient is None for gradient in gradients[len(variables) :])
    assert float(_term(student, student, match=match)(step)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("match", "changes", "reason"),
    [
        ("hidden", {"hidden": 12}, "the teacher has hidden=12, but the encoder has hidden=8"),
        ("attention", {"heads": 4}, "the teacher has heads=4, but the encoder has heads=2"),
        (
            "hidden",
            {"layers": 3},
            "the teacher has 3 layers, which is no multiple of the encoder's",
        ),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(match, changes, reason, encoders):
    teacher = _encoder(**{"layers": 4, **changes})
    with pytest.raises(ValueError, match=reason):
        _term(encoders[0], teacher, match=match)


def test_other_widths_and_heads_fit_where_they_are_not_compared(encoders):
    _term(encoders[0], _encoder(3, hidden=12), match="attention")(_step())
    _term(encoders[0], _encoder(4, heads=4), match="hidden")(_step())


def test_attention_to_a_window_is_refused(encoders):
    local = Modernbert(vocabulary_size=12, hidden=8, heads=2, layers=2, window=4, seed=1)
    if local.stack[-1].window is None:
        pytest.skip("the last layer of this encoder attends to all tokens")
    with pytest.raises(ValueError, match="the last layer of the teacher attends to a window of"):
        _term(encoders[0], local, match="attention")
