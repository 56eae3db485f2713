"""Scikit-learn's own checks of the estimator.

`check_estimator` makes numbers and has no checks for an estimator of texts, so it skips all of them
(tested below). Here a subclass writes each row of numbers as a text. All checks then run, and what
they ask of labels, weights, parameters, pickles and repeated fits is asked of the estimator itself.
"""

from unittest import SkipTest

import numpy as np
import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.validation import check_is_fitted

from ftkeras import sklearn
from tests.finished import ENCODER

pytest.importorskip("sklearn", minversion="1.6", reason="the checks' generator is new in 1.6")
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator
from sklearn.utils.validation import validate_data

# Checks that cost no training: they run by default.
CHEAP = (
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)
EXPECTED_FAILED_CHECKS = {
    "check_methods_sample_order_invariance": (
        "in another batch a text's float32 probabilities differ in the last digits"
    ),
    "check_sample_weight_equivalence_on_dense_data": (
        "weights scale the loss; a text of weight 0 still takes a place in a batch, and one of "
        "weight 2 is drawn once"
    ),
}


class RowsAsTexts(sklearn.TextClassifier):
    """The estimator for rows of numbers: a number becomes one of sixteen letters."""

    def fit(self, X, y, sample_weight=None):
        rows = validate_data(self, X, dtype="float64")
        return super().fit(_as_texts(rows), y, sample_weight)

    def predict_proba(self, X):
        check_is_fitted(self)
        rows = validate_data(self, X, dtype="float64", reset=False)
        return super().predict_proba(_as_texts(rows))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = True, False
        tags.input_tags.one_d_array = False
        return tags


def _as_texts(rows):
    numbers = np.clip(np.round(rows) + 8, 0, 15).astype(int)
    return np.array([" ".join("abcdefghijklmnop"[n] for n in row) for row in numbers], object)


def _checks():
    """Yield scikit-learn's checks of the estimator, all but the cheap ones marked."""
    estimator = RowsAsTexts(
        ENCODER, max_length=16, epochs=4, batch_size=16, learning_rate=2e-3, random_state=1
    )
    for one, check in estimator_checks_generator(estimator):
        name, marks = check.func.__name__, []
        if name not in CHEAP:
            marks.append(pytest.mark.matrix)
        if name in EXPECTED_FAILED_CHECKS:
            marks.append(pytest.mark.xfail(reason=EXPECTED_FAILED_CHECKS[name]))
        yield pytest.param(one, check, id=name, marks=marks)


@pytest.mark.parametrize(("estimator", "check"), _checks())
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:  # of unittest; pytest would count it as passed
        pytest.skip(str(skipped))


def test_scikit_learn_has_no_checks_for_texts():
    with pytest.warns(SkipTestWarning, match="string=True"):
        check_estimator(sklearn.TextClassifier(ENCODER))
