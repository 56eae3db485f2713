"""Multi-label: metrics by scikit-learn, and thresholds by trying all of them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn import metrics

from ftkeras.errors import UserError
from ftkeras.problems import _thresholds
from ftkeras.problems.classification import Classification
from ftkeras.problems.multi_label import MultiLabel, sigmoid
from ftkeras.statistics.label_predictions import LabelPredictions

RNG = np.random.default_rng(3)
TARGETS = RNG.integers(2, size=(40, 4)) * RNG.integers(2, size=(40, 4))
TARGETS[:, 3] = 0
OUTPUTS = (2 * TARGETS - 3 + 3 * RNG.normal(size=(40, 4))).astype(np.float32)
NAMES = ("joy", "anger", "love", "fear")


def _loss(targets, outputs):
    return np.float32(0.5)


@pytest.fixture
def tuned():
    problem = MultiLabel(labels=NAMES)
    problem.tune(TARGETS, OUTPUTS)
    return problem


def test_metrics_are_scikit_learns():
    predicted = (OUTPUTS >= 0).astype(int)
    found = MultiLabel(labels=NAMES).metrics(TARGETS, OUTPUTS, _loss)
    assert found["micro_f1"] == pytest.approx(metrics.f1_score(TARGETS, predicted, average="micro"))
    each = metrics.f1_score(TARGETS, predicted, average=None, zero_division=0.0)
    assert found["macro_f1"] == pytest.approx(each[:3].mean())
    assert found["absent_labels"] == ["fear"]
    samples = metrics.f1_score(TARGETS, predicted, average="samples", zero_division=1.0)
    assert found["sample_f1"] == pytest.approx(samples)
    assert found["subset_accuracy"] == metrics.accuracy_score(TARGETS, predicted)
    lrap = metrics.label_ranking_average_precision_score(TARGETS, OUTPUTS)
    assert found["lrap"] == pytest.approx(lrap)
    areas = [metrics.roc_auc_score(TARGETS[:, n], OUTPUTS[:, n]) for n in range(3)]
    assert [row["auc"] for row in found["per_label"]] == pytest.approx([*areas, None])
    assert found["auc"] == pytest.approx(np.mean(areas))
    assert [row["support"] for row in found["per_label"]] == TARGETS.sum(axis=0).tolist()


def test_one_label_is_measured_as_a_label_not_as_two_classes():
    problem = MultiLabel(labels=("joy",))
    found = problem.metrics(TARGETS[:, :1], OUTPUTS[:, :1], _loss)
    wanted, predicted = TARGETS[:, 0], (OUTPUTS[:, 0] >= 0).astype(int)
    for name, score in (("f1", metrics.f1_score), ("recall", metrics.recall_score)):
        assert found[f"micro_{name}"] == pytest.approx(score(wanted, predicted))
        assert found["per_label"][0][name] == pytest.approx(score(wanted, predicted))
    assert found["macro_f1"] == found["micro_f1"] < 1
    assert found["per_label"][0]["support"] == wanted.sum()


def _f1(target, probability, threshold):
    predicted = probability >= threshold
    return 2 * (target & predicted).sum() / max(1, target.sum() + predicted.sum())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=1, max_size=12))
def test_no_threshold_is_better_than_the_tuned_one(rows):
    target, probability = np.array([t for t, _ in rows]), np.array([p for _, p in rows]) / 8
    (found,) = _thresholds.tune(target[:, None], probability[:, None])
    every = np.linspace(0, 1, 33)
    scores = [_f1(target, probability, threshold) for threshold in every]
    always = _f1(target, probability, 0.0)
    enough = always + 0.1 * (1 - always)
    if always < 1 and np.isclose(max(scores), enough, rtol=1e-12):
        return  # rounding decides
    if not target.any() or (always < 1 and max(scores) < enough):
        assert found == 0.5
        return
    assert _f1(target, probability, found) == max(scores)
    # No other cut that is as good is nearer to 0.5, except within the same gap between scores.
    best = every[np.isclose(scores, max(scores), rtol=1e-12)]
    nearest = best[np.argmin(np.abs(best - 0.5))]
    cuts = [tuple(probability >= t) for t in (found, nearest)]
    assert cuts[0] == cuts[1] or abs(found - 0.5) <= abs(nearest - 0.5) + 1 / 8


ROW = st.tuples(*[st.integers(0, 1), st.integers(0, 8)] * 3)


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12))
def test_decisions_about_all_labels_count_as_20_positives(rows):
    targets, scores = np.array(rows)[:, ::2], np.array(rows)[:, 1::2] / 8
    found = _thresholds.tune(targets, scores)
    if not targets.any():
        assert found == [0.5] * 3
        return

    def counts(of, cut):
        predicted = scores[:, of] >= cut
        return np.array([(targets[:, of] & predicted).sum(), predicted.sum()])

    def f1(of, cut):
        (own, number), (every, numbers) = counts([of], cut), counts([0, 1, 2], cut)
        weight = 20 / targets.sum()
        positives = targets[:, of].sum() + 20
        return 2 * (own + weight * every) / (number + weight * numbers + positives)

    for label, threshold in enumerate(found):
        below = [0, *np.unique(scores[:, label])]
        gaps = itertools.pairwise(below)
        tried = [f1(label, 0.5 if a < 0.5 <= b else (a + b) / 2) for a, b in gaps]
        always = f1(label, 0)
        if always < 1 and max(tried) < always + 0.1 * (1 - always):
            # The best threshold for all labels may still be good enough.
            assert threshold == 0.5 or f1(label, threshold) >= always + 0.1 * (1 - always)
        else:
            assert f1(label, threshold) >= max(tried) - 1e-9


def test_a_label_with_few_examples_has_the_threshold_of_all_labels():
    rng = np.random.default_rng(1)
    targets = (rng.uniform(size=(500, 6)) < 0.3).astype(int)
    targets[:, 4:] = 0
    targets[0, 4] = 1
    scores = np.clip(0.2 * targets + rng.uniform(0, 0.3, size=(500, 6)), 0, 1)
    scores[0, 4] = 0.01  # its only example has a low probability by chance
    *common, rare, absent = _thresholds.tune(targets, scores)
    assert min(common) - 0.05 < rare < max(common) + 0.05
    assert min(common) - 0.05 < absent < max(common) + 0.05


def test_a_label_that_the_model_cannot_tell_keeps_0_5():
    target, rare = np.zeros((1000, 1), int), np.random.default_rng(0).uniform(0, 0.01, (1000, 1))
    target[::100] = 1
    assert _thresholds.tune(target, rare) == [0.5]
    assert _thresholds.tune(target, rare + 0.01 * target) != [0.5]  # told apart


def test_a_threshold_of_0_5_is_kept_where_it_cuts_as_well():
    target = np.array([[0], [0], [1], [1]])
    assert _thresholds.tune(target, np.array([[0.1], [0.4], [0.8], [0.9]])) == [0.5]
    assert _thresholds.tune(target, np.array([[0.1], [0.2], [0.3], [0.4]])) == [0.25]
    assert _thresholds.tune(target[2:], np.array([[0.1], [0.4]])) == [0.05]


def test_tuned_thresholds_are_stored_and_served(tuned):
    assert not tuned.needs_tuning
    again = MultiLabel(labels=NAMES)
    assert again.needs_tuning
    again.restore_state(tuned.state())
    assert (again.thresholds, again.needs_tuning) == (tuned.thresholds, False)
    served = {name: value.numpy() for name, value in again.served(tf.constant(OUTPUTS)).items()}
    np.testing.assert_allclose(served["thresholds"], [tuned.thresholds] * 40, rtol=1e-6)
    assert served["names"][5].tolist() == [name.encode() for name in NAMES]
    rows = again.decode(TARGETS, OUTPUTS)
    for n, row in enumerate(rows):
        labels = [label.decode() for label in served["labels"][n] if label]
        assert sorted(labels) == sorted(row["predicted"])
        by_name = dict(zip(NAMES, row["probabilities"], strict=True))
        assert labels == sorted(labels, key=by_name.get, reverse=True)
        assert served["labels"][n][len(labels) :].tolist() == [b""] * (4 - len(labels))
        answer = again.answer({name: value[n].tolist() for name, value in served.items()})
        assert answer["labels"] == labels
        assert list(answer["probabilities"]) == list(NAMES)


def test_metrics_of_the_tuned_thresholds_are_better_and_reported(tuned):
    before = MultiLabel(labels=NAMES).metrics(TARGETS, OUTPUTS, _loss)
    after = {**tuned.metrics(TARGETS, OUTPUTS, _loss), "examples": 40}
    assert after["macro_f1"] > before["macro_f1"]
    assert [row["threshold"] for row in after["per_label"]] == tuned.thresholds
    assert after["auc"] == before["auc"]
    report = "\n".join(tuned.report({"test": after}, "test", "metrics.json"))
    assert "the thresholds are tuned on the 40 validation examples" in report
    assert "macro f1 and auc exclude 1 label without an example in test: 'fear'" in report
    report = MultiLabel(labels=NAMES).report({"test": before}, "test", "metrics.json")
    assert "no validation split to tune them on" in report[-1]
    fixed = MultiLabel(labels=NAMES, threshold=0.2).report({"test": before}, "test", "")
    assert fixed[-1] == "the threshold of all labels is 0.2, as asked for"
    assert "| `joy` |" in tuned.card_metrics({"test": after}, ["test"])


def test_threshold_is_overridden_for_all_labels_or_some(tuned):
    outputs = {"probabilities": [0.1, 0.6, 0.4, 0.3]}
    tuned.override_threshold("0.35")
    assert tuned.answer(outputs)["labels"] == ["anger", "love"]
    assert tuned.line(tuned.answer(outputs)) == "anger,love\t0.6000,0.4000"
    tuned.override_threshold("joy=0.05,fear=0.3")
    assert tuned.answer(outputs)["labels"] == ["anger", "love", "fear", "joy"]
    tuned.override_threshold("1")
    assert tuned.line(tuned.answer(outputs)) == "-\t-"
    for text, message in [("hate=0.1", "names 'hate'; the labels are: joy"), ("2", "from 0 to 1")]:
        with pytest.raises(UserError, match=f"`threshold` .*{message}"):
            tuned.override_threshold(text)


def test_label_with_a_comma_in_its_name_has_a_threshold():
    names, present = ("joy", "joy, big", "x=1"), [0.5, 0.6, 0.7]
    assert _thresholds.read("joy, big=0.1,joy=0.2", names, present) == [0.2, 0.1, 0.7]
    assert _thresholds.read("x=1=0.3, joy = 0.4", names, present) == [0.4, 0.6, 0.3]


def test_other_problems_have_no_threshold():
    with pytest.raises(UserError, match="`threshold`: the answers of a text classifier need none"):
        Classification(labels="ab").override_threshold("0.3")


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_batchwise_micro_f1_is_that_of_the_split(threshold):
    problem = MultiLabel(labels=NAMES, threshold=threshold)
    (metric,) = problem.epoch_metrics()
    for part in (np.arange(30), np.array([*range(30, 40), -1])):
        batch = problem.collate(TARGETS, part)
        weight = batch["example_mask"].astype("float32")
        metric.update_state(batch["targets"], OUTPUTS[part], sample_weight=weight)
    expected = metrics.f1_score(TARGETS, sigmoid(OUTPUTS) >= threshold, average="micro")
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


def test_weighted_metrics_are_those_of_repeated_examples(tuned):
    rows = tuned.decode(TARGETS, OUTPUTS)
    run, weights = tuned.predictions(rows), RNG.integers(0, 3, size=(3, 40))
    found = run.table().metrics(weights.astype(np.float32))
    for row, counts in zip(found, weights, strict=True):
        repeated = np.repeat(np.arange(40), counts)
        expected = tuned.metrics(TARGETS[repeated], OUTPUTS[repeated], _loss)
        assert row == pytest.approx([expected[name] for name in LabelPredictions.metrics])


def test_stratum_is_the_rarest_label():
    targets = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]])
    problem = MultiLabel(labels="abc")
    assert problem.stratum(targets).tolist() == [1, 0, 0, 3, 2]
    assert problem.summarize(targets) == {"examples": 5, "labels": [4, 2, 1], "unlabelled": 1}


def test_shares_of_labels_give_the_loss_of_chance():
    targets = np.array([[1, 0], [0, 0], [1, 0], [0, 0]])
    problem = MultiLabel(labels="ab")
    loss, _ = problem.chance_loss(problem.summarize(targets))
    assert loss == pytest.approx(np.log(2) / 2)
    assert "have 'a'; nothing can be learned" in problem.shortcoming(targets[[0, 2]])
    assert "have no label; nothing" in problem.shortcoming(targets[[1, 3]])


def test_bias_of_a_new_head_gives_each_label_its_share():
    problem = MultiLabel(labels=["joy", "anger", "grief"])
    targets = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    shares = (targets.sum(0) + 0.5) / 5
    prior = problem.prior(targets)
    np.testing.assert_allclose(expit(prior), shares, rtol=1e-6)
    # Weighed, the positive and the negative half of the loss are equal there.
    problem.weigh("{'anger': 8}", targets)
    odds = np.exp(problem.prior(targets))
    np.testing.assert_allclose(odds, [1, 8, 1] * shares / (1 - shares), rtol=1e-6)


@pytest.mark.parametrize("spec", ["balanced", "{'joy': 0}"])
def test_bias_is_finite_where_positive_examples_have_no_weight(spec):
    problem = MultiLabel(labels=["joy", "anger"])
    targets = np.array([[1, 0], [1, 1], [1, 0]])
    problem.weigh(spec, targets)
    assert problem.weights["pos_weight"][0] == 0
    assert np.isfinite(problem.prior(targets)).all()


def test_labels_that_contain_commas_are_joined_by_something_else():
    problem = MultiLabel(labels=("a,b", "c"), threshold=0.5)
    answer = problem.answer({"probabilities": [0.9, 0.8]})
    assert problem.answer_cells(answer) == ("a,b;c", 0.9, 0.8)
    problem = MultiLabel(labels=("a,b", "c;d|e"), threshold=0.5)
    assert (
        problem.answer_cells(problem.answer({"probabilities": [0.9, 0.8]}))[0] == '["a,b", "c;d|e"]'
    )


def test_advice_names_a_model_that_predicts_nothing():
    problem = MultiLabel(labels=NAMES)
    assert problem.advice(problem.details(TARGETS, OUTPUTS - 50)) == [
        "the model predicts no label for any text"
    ]
    assert problem.advice(problem.details(TARGETS, OUTPUTS)) == []
    found = {**problem.metrics(TARGETS, OUTPUTS, _loss), "examples": 40}
    assert "its micro F1 of" in problem.doubt(found)
    many = {**found, "per_label": [{**row, "support": 5000} for row in found["per_label"]]}
    assert problem.doubt(many) is None
