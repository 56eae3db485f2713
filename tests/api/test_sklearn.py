"""The estimator for scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from ftkeras import sklearn
from ftkeras.errors import UserError
from tests.finished import ENCODER

joblib = pytest.importorskip("joblib")
THINGS, WORDS = ("film", "plot", "cast", "end"), ("dull", "charming")
X = np.array([f"The {thing} was {word}." for thing in THINGS for word in WORDS] * 2)
Y = np.array([-1, 7] * 8)


def _estimator(**arguments) -> sklearn.TextClassifier:
    settings = {"max_length": 16, "epochs": 2, "batch_size": 4, "learning_rate": 2e-3}
    given = {"encoder": ENCODER, "random_state": 1, **settings, **arguments}
    return sklearn.TextClassifier(**given)


def test_parameters_are_read_set_and_cloned():
    estimator = _estimator(policy="lora(rank=2)")
    again = clone(estimator).set_params(epochs=5)
    assert again.get_params() == estimator.get_params() | {"epochs": 5}
    assert "epochs=5" in repr(again)


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ("a", [1], "X must be a list or column of texts"),
        ([1, 2], [0, 1], "X must be texts. Received: 1"),
        ([["a", "b"]], [1], r"X must be one column of texts. Received: shape \(1, 2\)"),
        (["a"], [0, 1], "X has 1 texts, but y has 2 labels"),
        (["a", "b"], [1, 1], "y must have two or more classes. Received: 1"),
        (["a", "b"], [0.5, 1.25], "Unknown label type"),
        (["a", "b"], [0, np.nan], "y contains NaN"),
        (["a", "b"], None, "requires y to be passed"),
        (["a", "b"], ["x", None], "y must have a label for each .* Received: None at position 1"),
        (["a", "b"], pd.Series([pd.NA, "x"], dtype=object), "Received: <NA> at position 0"),
        (["a", "b"], np.array(["2026-01-01", "NaT"], "M8[D]"), "NaT.* at position 1"),
        (["a", "b"], np.array([1, "NaT"], "m8[D]"), "NaT.* at position 1"),
        (["a", "b", "c"], ["x", float("nan"), "y"], "a label for each text.*nan at position 1"),
        (None, [0, 1], "X must be a list or column of texts, such as .* Received: None"),
    ],
)
def test_wrong_examples_are_refused(texts, labels, message):
    with pytest.raises(ValueError, match=message):
        _estimator().fit(texts, labels)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "`epochs` must be an integer of at least 1. Received: 0"),
        ({"learning_rate": -1.0}, "`learning_rate` must be positive"),
        ({"warmup": 1.0}, "`warmup` must be at least 0 and below 1"),
        ({"random_state": 2**32}, "`random_state` must be at most 4294967295. .*4294967296"),
        ({"random_state": np.random.RandomState(0)}, "`random_state` must be an integer .* Rec"),
        ({"policy": ["lora"]}, r"`policy` must be one as for `--policy`.* Received: \['lora'\]"),
        ({"encoder": None}, "`encoder` must be a folder or a Hugging Face Hub id. Received: None"),
    ],
)
def test_wrong_parameters_are_refused_by_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        _estimator(**settings).fit(X, Y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "must have shape"),
        ([0.0] * 16, "all zero"),
        ([np.nan] * 16, "contains NaN"),
        ([-1.0] + [1.0] * 15, "Negative values .*sample_weight"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        _estimator().fit(X, Y, sample_weight=weights)


def test_tags_say_that_it_takes_texts():
    tags = get_tags(_estimator())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.estimator_type == "classifier"


def test_predictions_need_a_fitted_estimator():
    with pytest.raises(NotFittedError):
        _estimator().predict(["a"])


def test_failed_fit_leaves_the_estimator_as_it_was(tmp_path):
    estimator = _estimator(encoder=tmp_path / "missing")
    with pytest.raises(UserError):
        estimator.fit(X, Y)
    with pytest.raises(NotFittedError):
        estimator.predict(["a"])
    estimator.classes_, estimator.model_ = np.array(["no", "yes"]), None
    with pytest.raises(UserError):
        estimator.fit(X, Y)
    assert estimator.classes_.tolist() == ["no", "yes"]


@pytest.mark.matrix
def test_fits_without_a_random_state_differ_and_follow_numpys_generator():
    def probabilities() -> np.ndarray:
        estimator = _estimator(policy="head_only", epochs=1, random_state=None)
        return estimator.fit(X, Y).predict_proba(X[:2])

    np.random.seed(3)
    first, second = probabilities(), probabilities()
    assert np.abs(first - second).max() > 1e-3
    np.random.seed(3)
    np.testing.assert_allclose(probabilities(), first, atol=1e-6)


@pytest.mark.matrix
def test_estimator_works_in_a_pipeline_and_is_pickled(tmp_path):
    pipeline = Pipeline([("lower", FunctionTransformer(np.char.lower)), ("model", _estimator())])
    pipeline.fit(X, Y)
    assert pipeline.score(X, Y) == 1
    assert set(pipeline.predict(X)) == {-1, 7}
    probabilities = pipeline.predict_proba(X)
    assert probabilities.shape == (16, 2)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    for again in (pickle.loads(pickle.dumps(pipeline)), joblib.load(tmp_path / "pipeline.joblib")):
        np.testing.assert_allclose(again.predict_proba(X), probabilities, atol=1e-6)
    np.testing.assert_array_equal(
        clone(pipeline).fit(X, Y, model__sample_weight=np.ones(16)).predict_proba(X), probabilities
    )


@pytest.mark.matrix
def test_estimator_is_cross_validated():
    estimator = _estimator(policy="lora(rank=4)", epochs=4, random_state=np.int64(1))
    scores = cross_val_score(estimator, X, Y.astype(str), cv=2)
    assert scores.tolist() == [1, 1]


@pytest.mark.matrix
def test_estimator_is_searched():
    search = GridSearchCV(_estimator(), {"policy": [None, "head_only"], "epochs": [2]}, cv=2)
    search.fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.policy == search.best_params_["policy"]
    assert set(search.predict(X)) <= {-1, 7}
