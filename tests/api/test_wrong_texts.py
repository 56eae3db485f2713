"""Messages of Keras models on raw strings about wrong texts: the argument and value in one line."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import ftkeras
from tests.string_models import (
    ASKED,
    NUMBERS,
    OPTIONS,
    PAIRS,
    SPARSE,
    TEXTS,
    Models,
    batches,
    check_refused,
)

NAN = float("nan")


@pytest.fixture(scope="module")
def models():
    """Return the models, which are made when they are first asked for."""
    return Models()


@pytest.mark.parametrize(
    ("key", "x", "message"),
    [
        ("classifier", [], "`x` must be one or more texts. Received: none"),
        ("classifier", pd.Series([], dtype=str), "`x` must be one or more texts"),
        (
            "classifier",
            b"a film",
            "`x` must be a list, an array or a column of texts, such as .* Received: 'a film'",
        ),
        (
            "classifier",
            np.array("a film"),
            "`x` must be a list, an array or a column of texts.* Received: ndarray",
        ),
        ("classifier", map(str, TEXTS), "`x` must be a list, .* column of texts. Received: map"),
        ("classifier", None, "`x` must be a list, an array or a column of texts.* Received: None"),
        ("classifier", ["a", None], "`x` must be texts; leave out .* Received: None at position 1"),
        ("classifier", pd.Series(["a", NAN]), "`x` must be texts; leave out .* at position 1"),
        (
            "classifier",
            pd.DataFrame({"text": ["a", pd.NA]}),
            "`x` must be texts; leave out .* Received: (nan|<NA>) at position 1",
        ),
        ("classifier", [3, "a"], "turn numbers into texts with `str`. Received: 3 at position 0"),
        ("classifier", tf.constant([1, 2]), "`x` must be texts; turn numbers .* Received: 1 at"),
        ("classifier", ["a", "\ud800"], "that UTF-8 can write; replace .* at position 1"),
        ("classifier", [TEXTS, TEXTS], "`x` must be texts; one string for each example"),
        ("classifier", PAIRS, "`x` must have 'text' alone, .* made with pairs=False.* 'pair'"),
        ("classifier", {"review": TEXTS}, "`x` must have 'text', or be a .* Received: 'review'"),
        (
            "classifier",
            {"text": "a film"},
            "`x` must be a list, an array or a column of texts, such as",
        ),
        ("classifier", pd.DataFrame({"a": TEXTS}), "`x` must have 'text', or be a column of texts"),
        (
            "of_pairs",
            {**PAIRS, "pair": ["a"]},
            "`x` must have the same number .*: 2 of 'text', 1 of 'pair'",
        ),
        ("of_pairs", {**PAIRS, "pair": ["a", None]}, r"`x\['pair'\]` must be texts.*None"),
        ("of_pairs", tf.constant(TEXTS), "`x` must be a dict, .* Received: a tensor of string"),
        ("tagger", ["The", "film"], "all of these strings are single words: .* 'The', 'film'"),
        ("tagger", [["a", None]], "`x` must consist of words.* Received: None"),
        (
            "tagger",
            [{"words": ["a"]}],
            "`x` must be sentences; a list of words for each .* at position 0",
        ),
        ("choice", {**OPTIONS, "options": ["a", "b"]}, "must have two or more options.* 'a'"),
        ("choice", {**OPTIONS, "options": list("abcd")}, "must have two or more options"),
        ("choice", {**OPTIONS, "options": ["a\nb\nc\nd\ne"] * 2}, "must have at most 4"),
        ("answerer", {"question": "How?", "context": TEXTS}, r"`x\['question'\]` must be a list"),
        ("answerer", {**ASKED, "context": ["a"]}, "2 of 'question', 1 of 'context'"),
    ],
)
def test_texts(models, key, x, message):
    check_refused(lambda: models[key].predict(x, verbose=0), message)


@pytest.mark.parametrize(
    ("key", "data", "message"),
    [
        (
            "classifier",
            batches(TEXTS).unbatch(),
            "`x` must be batches; use `batch` of the dataset",
        ),
        ("classifier", batches(TEXTS).take(0), "`x` must have one or more batches. Received: none"),
        ("classifier", batches([1, 2]), "`x` must be strings. Received: a tensor of int32"),
        ("classifier", batches([TEXTS]), r"`x` must be strings of shape \(None,\)"),
        ("classifier", batches(PAIRS), "`x` must have 'text' alone"),
        ("classifier", batches({"a": TEXTS}), "`x` must have 'text', or be a column of texts"),
        ("of_pairs", batches(TEXTS, TEXTS), "`x` must be a dict, {'text': …, 'pair': …}"),
        ("tagger", batches([["a b", ""], ["c", ""]]), "`x` must have words .* no spaces.*'a b '"),
        (
            "choice",
            batches({**OPTIONS, "options": ["a", "b"]}),
            "must have 2 or more options.*'a'",
        ),
        (
            "choice",
            batches({**OPTIONS, "options": [["a", "", "b"]] * 2}),
            r"`x\['options'\]` must have options that are not empty",
        ),
        (
            "classifier",
            (text for text in TEXTS),
            "`x` must be a list, an array or a column of texts, such as",
        ),
        ("classifier", (part for part in [([1],)]), "`x` must be texts; turn numbers"),
    ],
)
def test_batches_of_texts(models, key, data, message):
    check_refused(lambda: models[key].predict(data, verbose=0), message)


@pytest.mark.parametrize(
    ("key", "argument", "message"),
    [
        ("classifier", {"pairs": "no"}, "`pairs` must be True or False. Received: 'no'"),
        ("classifier", {"activation": "sofmax"}, "`activation` must be .* Received: 'sofmax'"),
        ("tagger", {"activation": "sofmax"}, "`activation` must be one of Keras"),
        ("answerer", {"activation": "sofmax"}, "`activation` must be one of Keras"),
        ("answerer", {"no_answer": "no"}, "`no_answer` must be True or False. Received: 'no'"),
        ("answerer", {"threshold": "tuned"}, "`threshold` must be a finite number.*: 'tuned'"),
        ("answerer", {"threshold": float("nan")}, "`threshold` must be .* number. Received: nan"),
    ],
)
def test_arguments(models, key, argument, message):
    model = models[key]
    parts = {name: getattr(model, name) for name in ("preprocessor", "encoder", "head")}
    labels = {"labels": model.labels} if hasattr(model, "labels") else {}
    check_refused(lambda: type(model)(**parts, **labels, **argument), message)


def test_model_that_is_called_names_what_it_takes(models):
    check_refused(lambda: models["classifier"](tf.constant([1])), "`x` must be strings.*of int32")
    check_refused(lambda: models["classifier"](PAIRS), "`x` must have 'text' alone")
    check_refused(
        lambda: models["classifier"].train_on_batch(TEXTS, ["a", "b"]), "only the labels neg, pos"
    )
    check_refused(lambda: models["similarity"].embed([]), "`texts` must be one or more texts")
    check_refused(
        lambda: models["similarity"].embed(["a", None]), "`texts` must be texts; leave out"
    )


class Batches(keras.utils.PyDataset):
    """The same batch again and again: of strings as NumPy has them, Keras can't read it."""

    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.batch


@pytest.mark.matrix
def test_texts_are_refused_under_a_strategy_with_several_replicas():
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = Models()["classifier"]
    assert model.predict(TEXTS, verbose=0).shape == (2, 2)
    message = "`x` must be tokenized batches: .* `on_tokens` returns.* Received: texts"
    check_refused(lambda: model.fit(TEXTS, NUMBERS), message)


def test_py_dataset_needs_tensors(models):
    message = "`x` must be a PyDataset of batches of tensors.* `tf.constant`.* ndarray"
    batches = Batches(np.array(TEXTS, object), np.array(NUMBERS))
    check_refused(lambda: models["classifier"].fit(batches), message)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([np.array([0, 7])], "numbers from 0 to 1. Received: 7."),
        ([tf.constant(["neg", "pos"])], "must be numbers; `keras.layers.StringLookup"),
        ([], "`y` must be an answer for each example. Received: batches without"),
        ([np.array(NUMBERS), np.array([1, np.nan])], "`sample_weight` must be numbers.*: nan"),
    ],
)
def test_first_batch_of_a_py_dataset_is_checked(models, parts, message):
    batches = Batches(tf.constant(TEXTS), *parts)
    check_refused(lambda: models["classifier"].fit(batches, verbose=0), message)
    check_refused(lambda: models["classifier"].evaluate(batches, verbose=0), message)
    assert models["classifier"].predict(batches, verbose=0).shape == (4, 2)


class TokenBatches(keras.utils.PyDataset):
    """Batches of tokens."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        ids = np.array([[2, 5, 3]])
        return {"token_ids": ids, "padding_mask": np.ones_like(ids)}, np.array([1])


def test_py_dataset_may_have_arrays_of_tokens(models):
    on_tokens = models["classifier"].on_tokens()
    on_tokens.compile("sgd", SPARSE, run_eagerly=True)
    given = TokenBatches(workers=1)
    assert on_tokens.predict(given, verbose=0).shape == (1, 2)
    assert on_tokens.evaluate(given, verbose=0) > 0


@pytest.mark.parametrize("x", [TEXTS, tf.constant(TEXTS), {"text": TEXTS}, batches(TEXTS)])
def test_model_on_tokens_takes_no_texts(models, x):
    on_tokens = models["classifier"].on_tokens()
    check_refused(
        lambda: on_tokens.predict(x), "`x` must be batches that `ftkeras.bucketed_batches`"
    )


@pytest.mark.matrix
def test_model_on_tokens_tells_pairs_from_texts(models):
    single, pairs = models["classifier"], models["of_pairs"]
    for model, other, wanted in ((single, PAIRS, "texts"), (pairs, TEXTS, "pairs of texts")):
        make = ftkeras.bucketed_batches(model.preprocessor, 2)
        data = tf.data.Dataset.from_tensor_slices(other).apply(make)
        message = f"`x` must be batches of {wanted}, .* made with pairs={model.pairs}"
        check_refused(lambda model=model, data=data: model.on_tokens().predict(data), message)


def test_model_on_tokens_checks_answers_and_weights_of_classes(models):
    model = models["classifier"]
    on_tokens = model.on_tokens()
    on_tokens.compile("sgd", SPARSE, run_eagerly=True)
    make = ftkeras.bucketed_batches(model.preprocessor, 2)
    for wrong in (7, -1):
        data = tf.data.Dataset.from_tensor_slices((TEXTS, [0, wrong])).apply(make)
        check_refused(
            lambda data=data: on_tokens.fit(data, verbose=0), f"0 to 1. Received: {wrong}."
        )
    data = tf.data.Dataset.from_tensor_slices((TEXTS, NUMBERS)).apply(make)
    check_refused(lambda: on_tokens.fit(data, class_weight={"bad": 1}), "have keys from neg, pos")
    check_refused(
        lambda: model.fit(data), "`x` must be texts; token ids are for .* `on_tokens` returns"
    )


@pytest.mark.parametrize("make", [ftkeras.bucketed_batches, ftkeras.packed_batches])
def test_batches_are_made_of_a_dataset(models, make):
    transform = make(models["classifier"].preprocessor, 2)
    check_refused(
        lambda: transform((TEXTS, NUMBERS)), "`dataset` must be a tf.data.Dataset .*: tuple"
    )
