import dataclasses
import json

import numpy as np
import pytest

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, evaluation, optimization
from ftkeras.losses.cross_entropy import CrossEntropy

# 2 true positives, 1 false one, 1 missed, 2 true negatives.
TWO_LABELS = np.array([1, 1, 0, 1, 0, 0])
TWO = np.log([[0.2, 0.8], [0.4, 0.6], [0.3, 0.7], [0.9, 0.1], [0.6, 0.4], [0.95, 0.05]])
# Class 2 is no label here, though once predicted.
THREE_LABELS = np.array([0, 0, 1, 1])
THREE = np.log([[0.8, 0.1, 0.1], [0.05, 0.25, 0.7], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])


def test_figures_of_two_classes_are_the_second_ones():
    figures = evaluation.metrics(TWO_LABELS, TWO.astype("float32"), CrossEntropy(), names="ab")
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["f1"] == pytest.approx(2 / 3)
    # Of the nine pairs of a positive and a negative, the scores order six rightly.
    assert figures["auc"] == pytest.approx(6 / 9)
    picked = [0.8, 0.6, 0.3, 0.1, 0.6, 0.95]
    assert figures["loss"] == pytest.approx(-np.mean(np.log(picked)), rel=1e-5)


def test_class_that_a_split_lacks_is_excluded_from_the_means():
    figures = evaluation.metrics(THREE_LABELS, THREE.astype("float32"), CrossEntropy(), names="abc")
    assert figures["precision"] == pytest.approx((1 + 1) / 2)
    assert figures["recall"] == pytest.approx((0.5 + 1) / 2)
    assert figures["auc"] == pytest.approx((1 / 2 + 1) / 2)
    assert (figures["positive_class"], figures["absent_classes"]) == (None, ["c"])


def test_confusion_has_a_row_a_label():
    assert evaluation.confusion(THREE_LABELS, THREE) == [[1, 0, 1], [0, 2, 0], [0, 0, 0]]
    assert evaluation.confusion(TWO_LABELS, TWO) == [[2, 1], [1, 2]]


def test_figures_are_plain_json():
    figures = evaluation.metrics(TWO_LABELS, TWO.astype("float32"), CrossEntropy(), names="ab")
    assert json.loads(json.dumps(figures)) == figures


def test_logits_are_the_same_however_texts_come_together():
    config = Config(
        task="quickstart",
        encoder="bert(layers=1, hidden=32, heads=2, positions=64, vocabulary='reviews')",
        max_length=64,
        test_examples=45,
    )
    experiment, logits = build.experiment(config), {}
    optimization.compile_to_evaluate(experiment)
    random = np.random.default_rng(0)
    for variable in experiment.model.weights:  # so large that texts differ
        variable.assign(variable + 0.2 * random.normal(size=variable.shape))
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        for batching in ("padded", "bucketed", "packed"):
            other = dataclasses.replace(config, batching=batching)
            same = dataclasses.replace(experiment, config=other)
            logits[batching] = evaluation.predict_logits(same, splits.test)
    assert logits["padded"].shape == (45, 2)
    assert np.std(logits["padded"][:, 0]) > 0.1
    for batching in ("bucketed", "packed"):
        np.testing.assert_allclose(logits[batching], logits["padded"], atol=1e-5)


def test_logits_that_are_not_finite_are_refused_in_one_line(tmp_path):
    config = Config(
        task="quickstart",
        encoder="bert(layers=1, hidden=32, heads=2, positions=64, vocabulary='reviews')",
        max_length=64,
        train_examples=60,
        validation_examples=20,
        cache_dir="none",
    )
    experiment = build.experiment(config)
    optimization.compile_to_evaluate(experiment)
    experiment.model.head.bias.assign([0.0, np.nan])
    splits = open_splits(config, experiment.task, experiment.text_layer)
    with splits as opened, pytest.raises(UserError, match="not finite for 20 of 20 val") as caught:
        evaluation.evaluate(experiment, opened, tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
