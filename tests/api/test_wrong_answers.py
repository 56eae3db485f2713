"""Messages of Keras models on raw strings about wrong answers and weights, in one line each."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import ftkeras
from tests.string_models import (
    ASKED,
    LINES,
    NUMBERS,
    OPTIONS,
    PAIRS,
    TAGS,
    TEXTS,
    WORDS,
    Models,
    batches,
    check_refused,
)

NAN = float("nan")


def one_answer(data):
    """Return batches with a single number for all examples of a batch."""
    return data.map(lambda x, y: (x, y[0]))


@pytest.fixture(scope="module")
def models():
    """Return the models, which are made when they are first asked for."""
    return Models()


@pytest.mark.parametrize(
    ("key", "y", "message"),
    [
        ("classifier", None, "`y` must be an answer for each example. Received: None"),
        (
            "classifier",
            "pos",
            "`y` must be a list, an array or a column of answers, .* Received: 'pos'",
        ),
        (
            "classifier",
            {0, 1},
            "`y` must be a list, an array or a column of answers.* Received: set",
        ),
        ("classifier", [0.5, 1], "`y` must be the labels neg, pos, or .* 0 to 1. Received: 0.5 at"),
        ("classifier", [0, 2], "or their numbers from 0 to 1. Received: 2 at position 1"),
        ("classifier", tf.constant([0, -1]), "numbers from 0 to 1. Received: -1 at position 1"),
        ("classifier", [0, NAN], "numbers from 0 to 1. Received: nan at position 1"),
        (
            "classifier",
            ["neg", None],
            "`y` must contain only the labels neg, pos. Received: None at pos",
        ),
        (
            "classifier",
            ["neg", 1],
            "`y` must contain only the labels neg, pos. Received: 1 at position 1",
        ),
        ("classifier", ["neg"], "`y` must have an entry for each of the 2 examples.*Received: 1"),
        ("classifier", [1j, 0], "`y` must contain only the labels neg, pos. Received: 1j"),
        (
            "classifier",
            [["neg"], ["pos", "neg"]],
            "`y` must be answers, with the same number for each",
        ),
        ("classifier", pd.DataFrame({"joy": [0, 1], "pos": 0}), "a column for .* neg, pos. .*'joy"),
        ("classifier", np.eye(2), "for the loss 'sparse_.* such as 'categorical_crossentropy'"),
        ("several", [0, 1], "`y` must have a list of labels for each .* Received: 0 at position 0"),
        ("several", [["film"], None], "`y` must have a list of labels for each text.*None at pos"),
        (
            "several",
            [["film"], [1]],
            "`y` must contain only the labels film, praise. Received: 1 at pos",
        ),
        ("several", np.ones((2, 3)), r"`y` must be lists of labels.* Received: shape \(2, 3\)"),
        ("several", np.full((2, 2), 2), "`y` must be lists of labels, or .* Received: 2 at pos"),
        ("several", pd.DataFrame({"film": [0, 1], "a": 0}), "`y` must have a column for each"),
        ("several", {"film": [0, 1], "praise": [0]}, r"`y\['praise'\]` must have an entry for"),
        ("regressor", [1.0, NAN], "`y` must be finite numbers. Received: nan at position 1"),
        ("regressor", [1.0, None], "`y` must be finite numbers. Received: nan at position 1"),
        ("regressor", ["1", "2"], "`y` must be finite numbers. Received: '1'"),
        ("regressor", [1.0, 1e39], "finite numbers of at most 3.4e.38, .* 1e.39 at position 1"),
        ("regressor", [1, 10**400], "`y` must be finite numbers. Received: 1000"),
        ("regressor", pd.to_timedelta([1, 2]), "be finite numbers. Received: np.timedelta64"),
        ("regressor", np.array(["2026-01-01"] * 2, "M8[ns]"), "Received: np.datetime64"),
        ("regressor", np.ones((2, 2)), "of shape .* Received: shape"),
        ("numbers", [1.0, 2.0], r"of shape \(2, 2\). Received: shape \(2,\)"),
        ("similarity", tf.constant([5.0, 1.0]), "`y` must be similarities from -1 to 1.*: 5.0 at"),
        ("tagger", [["O", "B"]], "`y` must have an entry for each of the 2 examples.*Received: 1"),
        ("tagger", [*TAGS, ["O"]], "`y` must have an entry for each of the 2 .* Received: 3"),
        ("tagger", [["O", -100], ["B"]], "or their numbers; .* `sample_weight` of 0.*: -100 at"),
        ("tagger", [["O", 0.5], ["B"]], "or their numbers; .* Received: 0.5 at position 0"),
        (
            "tagger",
            np.zeros((2, 1)),
            "`y` must have one entry for each word. Received: 1 for the 2",
        ),
        ("choice", [0, 3], "`y` must be the numbers of the right options.* 3 at position 1"),
        ("choice", tf.constant([2, 0]), "the numbers of the right options.* 2 at position 0"),
        ("choice", [0.5, 1], "the numbers of the right options.* 0.5 at position 0"),
        ("choice", ["yes", "I"], "the numbers of the right options.* Received: 'yes'"),
        ("choice", [0], "`y` must have an entry for each of the 2 examples"),
        ("choice", np.eye(2), "of shape .* Received: shape"),
        ("answerer", ["dull"], "`y` must have an entry for each of the 2 examples.*Received: 1"),
        ("answerer", ["dull", "sad"], "`y` at position 1: the answer 'sad' .* does not occur"),
        ("answerer", {"text": ["a", "b"]}, "or have the columns 'text' and 'answer_start'"),
        (
            "answerer",
            {"text": ["a", "b"], "answer_start": [1]},
            "as many entries in 'text' as in 'answer_start'. Received: 2 and 1",
        ),
        (
            "answerer",
            [{"text": ["a", "b"], "answer_start": [1]}, None],
            "`y` at position 0: an answer must be",
        ),
        (
            "answerer",
            [{"text": [None], "answer_start": [1]}, None],
            "`y` at position 0: an answer must be",
        ),
        ("answerer", [[1, 16], [1, 2]], "first and the last token .* 0 to 15. Received: 16 at"),
        ("answerer", [[1, 2], [3, 2]], "last token .* in this order .* Received: 2 at position 1"),
        ("answerer", np.ones((2, 3)), "`y` at position 0: an answer must be a text, None"),
    ],
)
def test_answers(models, key, y, message):
    x = {"tagger": WORDS, "choice": OPTIONS, "answerer": ASKED, "similarity": PAIRS}
    check_refused(lambda: models[key].fit(x.get(key, TEXTS), y, verbose=0), message)


@pytest.mark.parametrize(
    ("key", "data", "message"),
    [
        ("classifier", batches(TEXTS), "`y` must be an answer .* Received: batches without"),
        (
            "classifier",
            batches(TEXTS, TEXTS),
            "`y` of a dataset must be numbers; `keras.layers.StringLookup",
        ),
        ("classifier", batches(TEXTS, [0.5, 1]), "numbers from 0 to 1. Received: 0.5."),
        ("classifier", batches(TEXTS, [0, 7]), "numbers from 0 to 1. Received: 7."),
        (
            "classifier",
            batches(*[NUMBERS] * 4),
            "must have batches of x, .* Received: batches of 4",
        ),
        ("classifier", batches(TEXTS, {"label": NUMBERS}), "one tensor each. Received: {'label'"),
        (
            "several",
            batches(TEXTS, np.ones((2, 3))),
            "of shape \(None, 2\). Received: shape \(None, 3\)",
        ),
        ("regressor", one_answer(batches(TEXTS, NUMBERS)), r"of shape \(None,\). .* shape \(\)"),
        (
            "regressor",
            batches(TEXTS, np.array([1.0, 1e39])),
            "`y` must be finite numbers. Received",
        ),
        ("regressor", batches(TEXTS, [1.0, NAN]), "`y` must be finite numbers. Received: nan."),
        ("numbers", batches(TEXTS, [1.0, 2.0]), r"of shape \(None, 2\). Received: shape"),
        ("similarity", batches(PAIRS, [5.0, 1.0]), "similarities from -1 to 1.* Received: 5."),
        (
            "tagger",
            batches(TEXTS, [["O"]] * 2),
            "`y` of a dataset must be numbers; `keras.layers.StringLookup",
        ),
        (
            "tagger",
            batches(TEXTS, np.zeros((2, 2))),
            "one label for each word.* 'The film was dull",
        ),
        (
            "tagger",
            batches(TEXTS, np.full((2, 4), 7)),
            "labels O, B, from 0 to 1, .* Received: 7.",
        ),
        (
            "tagger",
            batches(TEXTS, tf.ragged.constant([[0], [0]])),
            "`y` must have one label for each word of a sentence. Received: 'The film",
        ),
        ("choice", batches(LINES, [0, 2]), "the numbers of the right options.* Received: 2."),
        (
            "choice",
            batches(LINES, ["no", "I"]),
            "`y` of a dataset must be numbers. Received: strings",
        ),
        (
            "answerer",
            batches(ASKED, TEXTS),
            "must be numbers; use those that `targets` returns",
        ),
        ("answerer", batches(ASKED, [[0, 16], [1, 1]]), "from 0 to 15. Received: 16."),
        ("answerer", batches(ASKED, [[0, 0], [4, 1]]), "in this order .* Received: 1."),
        (
            "classifier",
            ((TEXTS, ["neg", "a"]) for _ in "a"),
            "`y` must contain only the labels neg, pos",
        ),
        (
            "classifier",
            ((TEXTS, NUMBERS if n < 3 else [0, 9]) for n in range(4)),
            "numbers from 0 to 1. Received: 9 at position 1",
        ),
    ],
)
def test_batches_with_answers(models, key, data, message):
    check_refused(lambda: models[key].fit(data, verbose=0), message)


@pytest.mark.parametrize(
    ("key", "arguments", "message"),
    [
        ("classifier", {"sample_weight": [1.0]}, "`sample_weight` must have an entry for each of"),
        ("classifier", {"sample_weight": ["a", "b"]}, "`sample_weight` must be numbers.* 'a'"),
        (
            "classifier",
            {"sample_weight": [1, NAN]},
            "`sample_weight` must be numbers. Received: nan",
        ),
        ("classifier", {"sample_weight": np.ones((2, 2))}, "of shape .* Received: shape"),
        (
            "classifier",
            {"sample_weight": {0: 1.0}},
            "`sample_weight` must be a list, an array or a column of numbers",
        ),
        (
            "tagger",
            {"sample_weight": [1.0]},
            "`sample_weight` must have an entry for each of the 2",
        ),
        ("tagger", {"sample_weight": [[10**400, 1], [1]]}, "must be numbers.* at position 0"),
        (
            "tagger",
            {"sample_weight": [[1e39, 1], [1]]},
            r"at most 3\.4e\+38, the .* 1e\+39 at",
        ),
        ("tagger", {"sample_weight": [["a", 1], [1]]}, "`sample_weight` must be numbers.*: 'a' at"),
        ("classifier", {"class_weight": [1, 2]}, "`class_weight` must be a dict .* Received: list"),
        ("classifier", {"class_weight": {2: 1}}, "or their numbers from 0 to 1. Received: 2"),
        ("classifier", {"class_weight": {0: NAN}}, "from 0 to .* Received: nan for 0"),
        (
            "classifier",
            {"class_weight": {0: 1e39}},
            r"from 0 to 3\.4e\+38, .*: 1e\+39 for 0",
        ),
        ("classifier", {"class_weight": {0: 0, 1: 0}}, "give at least one class a weight above 0"),
        ("classifier", {"class_weight": {"neg": 1, 0: 5}}, "each class once. .* 'neg' and 0"),
        ("regressor", {"class_weight": {0: 2.0}}, "`class_weight` must be None for 'text_regress"),
        (
            "classifier",
            {"class_weight": {0: 1}, "sample_weight": [1, 1]},
            "`class_weight` must be None if there is a `sample_weight`",
        ),
        (
            "classifier",
            {"validation_data": TEXTS},
            "`validation_data`: `x` must be a list, an array or a column of texts",
        ),
        (
            "classifier",
            {"validation_data": TEXTS * 2},
            r"be a tuple \(x, y\) .* Received: list of 4",
        ),
        ("classifier", {"validation_data": 0.2}, r"`validation_data` must be a tuple .*: 0.2"),
        ("classifier", {"validation_data": (TEXTS, [0])}, "`validation_data`: `y` must have an en"),
        ("classifier", {"validation_data": (TEXTS, None)}, "`validation_data`: `y` must be an an"),
    ],
)
def test_other_arguments(models, key, arguments, message):
    x, y = (WORDS, TAGS) if key == "tagger" else (TEXTS, NUMBERS)
    check_refused(lambda: models[key].fit(x, y, **arguments, verbose=0), message)


def test_answers_beside_batches_are_refused(models):
    model, data = models["classifier"], batches(TEXTS, NUMBERS)
    check_refused(lambda: model.fit(data, NUMBERS), "`y` must be None, as `x` has batches")
    check_refused(
        lambda: model.evaluate(data, sample_weight=[1, 1]), "`sample_weight` must be None, as `x`"
    )


@pytest.mark.parametrize("names", [["1", "0"], ["1", "2"]], ids=["reversed", "from_one"])
def test_numbers_are_refused_if_labels_are_other_numbers(models, names):
    config = models["classifier"].get_config() | {"labels": names}
    model = ftkeras.TextClassifier.from_config(config)
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    message = "must be names of labels, such as '1': .* number 0 is the label '1', .* Received: 1"
    for y in ([1, 1], np.ones((2, 1)), tf.constant([1, 1])):
        check_refused(lambda y=y: model.fit(TEXTS, y, verbose=0), f"`y` {message}")
    weights = {1: 5.0}
    check_refused(
        lambda: model.fit(TEXTS, names, class_weight=weights), f"`class_weight` {message}"
    )
    assert model.targets(TEXTS, names).tolist() == NUMBERS
    model.compile("sgd", "categorical_crossentropy")
    assert model.targets(TEXTS, np.eye(2)).tolist() == np.eye(2).tolist()


def test_columns_are_taken_for_integers_that_are_labels_unless_they_may_be_numbers(models):
    def targets(names, y):
        config = models["classifier"].get_config() | {"labels": names}
        model = ftkeras.TextClassifier.from_config(config)
        model.compile("sgd", "categorical_crossentropy")
        return model.targets(TEXTS, y).tolist()

    backwards = np.eye(2)[::-1].tolist()
    assert targets(["1", "2"], pd.get_dummies(pd.Series([2, 1]))) == backwards
    assert targets(["1", "2"], pd.DataFrame(backwards)) == backwards
    assert targets(["0", "1"], pd.get_dummies(pd.Series([1, 0]))) == backwards
    assert targets(["1", "0"], pd.get_dummies(pd.Series(["1", "0"]))) == np.eye(2).tolist()
    message = "`y` must be names of labels, such as '1': .* number 0 is the label '1', .*either."
    check_refused(lambda: targets(["1", "0"], pd.get_dummies(pd.Series([1, 0]))), message)


def test_tags_are_refused_as_numbers_if_labels_are_other_numbers(models):
    config = models["tagger"].get_config() | {"labels": ["1", "0"]}
    model = ftkeras.TokenClassifier.from_config(config)
    check_refused(
        lambda: model.targets(WORDS, [[1, 0], [1]]),
        "`y` must be names of labels, such as '1': .* number 0 is the label '1', .* Received: 1",
    )
