"""Test distillation against its formula in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_softmax, rel_entr, softmax

from ftkeras import problems
from ftkeras.regularizers.distill import Distill
from ftkeras.support.divergence import soft_cross_entropy, soft_cross_entropy_of_labels
from tests.regularizers import tiny

RNG = np.random.default_rng(5)
LOGITS, TEACHER = RNG.normal(scale=2, size=(4, 3)), RNG.normal(scale=3, size=(4, 3))
TEMPERATURES = (0.5, 1.0, 2.0, 8.0)
# Of the tiny batch: the last two examples have no label, the second has no answer of the teacher.
LABELLED, TAUGHT = np.array([True, True, False, False]), np.array([1, 0, 1, 1], "float32")
MASK = np.ones(4, bool)


def _kl(teacher, logits, temperature):
    p, q = (softmax(z / temperature, axis=-1) for z in (logits, teacher))
    return temperature**2 * rel_entr(q, p).sum(axis=-1)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_distance_is_the_divergence_of_softened_answers(temperature):
    found = soft_cross_entropy(LOGITS, softmax(TEACHER, axis=-1), temperature)
    np.testing.assert_allclose(found, _kl(TEACHER, LOGITS, temperature), rtol=1e-6)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_distance_of_labels_is_that_of_two_classes_each(temperature):
    pairs, others = (np.stack([z, np.zeros_like(z)], axis=-1) for z in (TEACHER, LOGITS))
    expected = _kl(pairs, others, temperature).mean(axis=-1)
    found = soft_cross_entropy_of_labels(LOGITS, expit(TEACHER), temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_teacher_who_agrees_is_at_no_distance():
    for function, answers in (
        (soft_cross_entropy, softmax(LOGITS, axis=-1)),
        (soft_cross_entropy_of_labels, expit(LOGITS)),
    ):
        np.testing.assert_allclose(function(LOGITS, answers, 3.0), 0, atol=1e-12)


def test_a_class_without_probability_is_left_out():
    """An option that a question lacks has the probability 0, and logits far below all others."""
    logits = np.concatenate([LOGITS, np.full((4, 1), -1e4)], axis=1).astype("float32")
    answers = np.concatenate([softmax(TEACHER, axis=-1), np.zeros((4, 1))], axis=1)
    answers = answers.astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(given := tf.constant(logits))
        found = soft_cross_entropy(given, answers, 4.0)
    np.testing.assert_allclose(found, _kl(TEACHER, LOGITS, 4.0), rtol=1e-5)
    assert np.isfinite(tape.gradient(found, given)).all()


def test_extreme_answers_stay_finite():
    sure = np.array([[1.0, 0.0]], "float32")
    logits = np.array([[-200.0, 200.0]], "float32")
    assert float(soft_cross_entropy(logits, sure, 1.0)[0]) == pytest.approx(400)
    assert np.isfinite(soft_cross_entropy_of_labels(logits, sure, 1.0)[0])


def test_numbers_are_compared_as_they_are_standardized():
    problem = problems.find("regression")(labels=("a", "b"))
    problem.fit(np.array([[0.0, 10.0], [4.0, 30.0]]))
    targets = problem.soft_targets(np.array([[2.0, 40.0]], "float32"))
    np.testing.assert_allclose(targets, [[0.0, 2.0]])
    found = problem.soft_loss(np.array([[1.0, 0.5]], "float32"), targets, 2.0)
    np.testing.assert_allclose(found, [(1.0 + 1.5**2) / 2])


def test_cosines_are_compared_as_they_are():
    problem = problems.find("similarity")(labels=["score"])
    vectors = np.array([[1.0, 0.0, 0.6, 0.8], [0.0, 1.0, 0.0, -1.0]], "float32")
    answers = problem.soft_targets(np.array([[0.9], [-1.0]], "float32"))
    np.testing.assert_allclose(problem.soft_loss(vectors, answers, 2.0), [0.3**2, 0], atol=1e-6)


def _answers(labelled=LABELLED, taught=TAUGHT):
    return {
        "targets": tiny.LABELS,
        "example_mask": MASK & (labelled | (taught > 0)),
        "labelled": labelled,
        "teacher": softmax(TEACHER, axis=-1).astype("float32"),
        "taught": taught,
    }


def _loss(model, answers, logits):
    return float(model.compute_loss(tiny.INPUTS, answers, logits, None, training=True))


def test_loss_is_the_mean_of_both_terms_over_all_examples():
    model = tiny.regulated(Distill(temperature=2.0, weight=0.3))
    logits = np.array(model(tiny.INPUTS))
    task = -log_softmax(logits, axis=-1)[np.arange(4), tiny.LABELS]
    distance = _kl(TEACHER, logits, 2.0)
    expected = (0.7 * task * LABELLED + 0.3 * distance * TAUGHT).mean()
    assert _loss(model, _answers(), logits) == pytest.approx(expected, rel=1e-5)
    # In evaluation it is the task's.
    found = model.compute_loss(tiny.INPUTS, tiny.LABELS, logits, None, training=False)
    assert float(found) == pytest.approx(task.mean(), rel=1e-5)


@pytest.mark.usefixtures("float64")
def test_gradient_equals_finite_differences():
    model = tiny.regulated(Distill(temperature=2.0, weight=0.3))

    def loss():
        logits = model(tiny.INPUTS, training=True)
        return model.compute_loss(tiny.INPUTS, _answers(), logits, None, training=True)

    slope, direction = tiny.slope(model, loss)
    assert tiny.along(tiny.gradients(model, loss), direction) == pytest.approx(slope, rel=1e-5)


def test_an_unlabelled_examples_target_and_an_untaught_answer_do_not_matter():
    model = tiny.regulated(Distill())
    logits = np.array(model(tiny.INPUTS))
    expected, answers = _loss(model, _answers(), logits), _answers()
    answers["targets"] = np.where(LABELLED, tiny.LABELS, 2)
    answers["teacher"] = np.where(TAUGHT[:, None] > 0, answers["teacher"], 1.0).astype("float32")
    assert _loss(model, answers, logits) == expected


def test_micro_batches_give_the_update_of_the_whole_batch():
    """Their parts have different numbers of labelled, taught and missing examples."""
    answers = _answers(LABELLED, np.array([1, 0, 1, 0], "float32"))
    one, several = (tiny.regulated(Distill(weight=0.4)) for _ in range(2))
    several.compile(optimizer=several.optimizer, loss=several.loss, accumulate=2)
    halves = tf.nest.map_structure(lambda x: np.stack(np.split(x, 2)), (tiny.INPUTS, answers))
    losses = [
        float(model.train_step(data)["loss"])
        for model, data in ((one, (tiny.INPUTS, answers)), (several, halves))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for variable, other in zip(one.trainable_variables, several.trainable_variables, strict=True):
        np.testing.assert_allclose(variable, other, atol=1e-6)


def test_training_metrics_count_labelled_examples_only():
    metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    model = tiny.regulated(Distill(), extra_metrics=metrics)
    wrong = np.array(model(tiny.INPUTS)).argmax(axis=-1)
    answers = _answers() | {"targets": np.where(LABELLED, wrong, (wrong + 1) % 3)}
    assert float(model.train_step((tiny.INPUTS, answers))["accuracy"]) == 1


def test_without_a_teacher_it_is_refused():
    model = tiny.regulated(Distill())
    with pytest.raises(ValueError, match="^distill needs `teacher`"):
        tiny.training_loss(model)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, "`temperature` must be positive and finite. Received: 0.0."),
        ({"weight": -0.1}, "`weight` must be at least 0 and finite. Received: -0.1."),
        ({"weight": 1.5}, "`weight` must be at most 1. Received: 1.5."),
    ],
)
def test_bounds(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Distill(**arguments)
