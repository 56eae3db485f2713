"""A Keras model that gives each word of a sentence a label."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from ftkeras.text.words import split
from tests import tagged
from tests.finished import ENCODER

LABELS = ["O", "B-THING", "B-NOT"]
SENTENCES, TAGS = map(list, zip(*tagged.sentences(24), strict=True))
LENGTH = 48


def _model(**arguments) -> ftkeras.TokenClassifier:
    return ftkeras.TokenClassifier.from_pretrained(
        ENCODER, **{"labels": LABELS, "max_length": LENGTH, "seed": 1} | arguments
    )


@pytest.fixture(scope="module")
def model() -> ftkeras.TokenClassifier:
    return _model()


def _numbers(sentences=TAGS) -> list[list[int]]:
    return [[LABELS.index(tag) for tag in tags] for tags in sentences]


def _by_token(model, words: list[str]) -> np.ndarray:
    """Return the probabilities of the first token of each word, one tokenized at a time."""
    tokenizer = model.preprocessor.tokenizer
    pieces = [tokenizer(tf.constant([word])).flat_values.numpy().tolist() for word in words]
    ids = [tokenizer.cls_id, *itertools.chain(*pieces), tokenizer.sep_id]
    firsts = 1 + np.cumsum([0, *map(len, pieces[:-1])])
    inputs = {"token_ids": np.array([ids]), "padding_mask": np.ones((1, len(ids)), bool)}
    logits = model.head(model.encoder(**inputs), inputs["padding_mask"])
    return keras.ops.softmax(logits).numpy()[0, firsts]


def test_word_has_the_answer_of_its_first_token(model):
    sentences = [["U.S.", "films", "unbelievably", "(dull)", "!"], ["Charming"], []]
    found = model.predict(sentences, batch_size=2, verbose=0)
    assert found.shape == (3, LENGTH, 3)
    for words, probabilities in zip(sentences, found, strict=True):
        assert not probabilities[len(words) :].any()
        if words:
            expected = _by_token(model, words)
            np.testing.assert_allclose(probabilities[: len(words)], expected, atol=1e-6)
            names = [LABELS[n] for n in expected.argmax(axis=1)]
            assert model.predict_labels([words], verbose=0) == [names]
    strings = [" ".join(words) for words in sentences]
    np.testing.assert_array_equal(model.predict(strings, verbose=0), found)


def test_words_that_have_no_token_or_were_not_read_have_no_label():
    model = _model(max_length=6)
    sentence = ["film", "\u200b", "plot", "cast", "end", "dull", "plot"]
    assert split(" ".join(sentence)) == sentence
    (names,) = model.predict_labels([sentence], verbose=0)
    assert [name is None for name in names] == [False, True, False, False, False, True, True]


def test_words_that_are_not_read_are_reported(caplog):
    model = _model(max_length=6)
    model.targets([["the"] * 4, ["the"]], [["O"] * 4, ["O"]])
    assert not caplog.messages
    model.targets([["the"] * 30, ["the"]], [["O"] * 30, ["O"]])
    (message,) = caplog.messages
    assert message == "26 words are beyond max_length=6: their labels do not count"


def test_padding_counts_neither_in_loss_nor_in_metrics(model):
    probabilities = model.predict(SENTENCES, verbose=0)
    picked = [probabilities[n, range(len(tags)), tags] for n, tags in enumerate(_numbers())]
    right = [
        probabilities[n, : len(tags)].argmax(axis=-1) == tags for n, tags in enumerate(_numbers())
    ]
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    loss, accuracy = model.evaluate(SENTENCES, TAGS, batch_size=24, verbose=0)
    assert loss == pytest.approx(-np.log(np.concatenate(picked)).mean(), rel=1e-5)
    assert accuracy == pytest.approx(np.concatenate(right).mean(), rel=1e-6)
    by_number = model.evaluate(SENTENCES, _numbers(), batch_size=24, verbose=0)
    assert by_number == [loss, accuracy]
    padded = np.zeros((24, LENGTH), "int32")
    padded[:, -1] = 1  # any label, where there is no word
    for row, tags in zip(padded, _numbers(), strict=True):
        row[: len(tags)] = tags
    strings = [" ".join(words) for words in SENTENCES]
    dataset = tf.data.Dataset.from_tensor_slices((strings, padded)).batch(24)
    assert model.evaluate(dataset, verbose=0) == [loss, accuracy]


def test_terms_of_regularizers_count_words_only():
    model = _model(dropout=0.0)
    ftkeras.regularizers.ConfidencePenalty(strength=0.5).apply(model)
    probabilities = model.predict(SENTENCES, verbose=0)
    words = np.concatenate(
        [row[: len(tags)] for row, tags in zip(probabilities, TAGS, strict=True)]
    )
    loss = -np.log(words[range(len(words)), np.concatenate(_numbers())]).mean()
    entropy = -(words * np.log(words)).sum(axis=-1).mean()
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    (found,) = model.fit(SENTENCES, TAGS, batch_size=24, verbose=0).history["loss"]
    assert found == pytest.approx(loss - 0.5 * entropy, rel=1e-4)


def test_weights_are_of_sentences_or_words(model):
    probabilities = model.predict(SENTENCES, verbose=0)
    losses = [
        -np.log(probabilities[n, range(len(tags)), tags]) for n, tags in enumerate(_numbers())
    ]
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    weights = np.linspace(0, 2, 24)
    settings = {"batch_size": 24, "verbose": 0, "return_dict": True}
    found = model.evaluate(SENTENCES, TAGS, sample_weight=weights, **settings)["loss"]
    weighted = np.concatenate([w * part for w, part in zip(weights, losses, strict=True)])
    assert found == pytest.approx(weighted.mean(), rel=1e-5)
    by_word = [[2.0 * (tag != "O") for tag in tags] for tags in TAGS]
    found = model.evaluate(SENTENCES, TAGS, sample_weight=by_word, **settings)["loss"]
    weighted = np.concatenate(by_word) * np.concatenate(losses)
    assert found == pytest.approx(weighted.mean(), rel=1e-5)


@pytest.mark.matrix
def test_model_learns_and_is_saved(tmp_path):
    model = _model()
    loss = "sparse_categorical_crossentropy"
    model.compile(ftkeras.optimizers.AdamW(5e-3), loss, metrics=["accuracy"])
    settings = {"batch_size": 8, "epochs": 8, "verbose": 0}
    history = model.fit(SENTENCES, TAGS, validation_split=0.25, **settings).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert np.isfinite(history["val_accuracy"]).all()
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    expected = model.predict(SENTENCES, verbose=0)
    np.testing.assert_allclose(again.predict(SENTENCES, verbose=0), expected, atol=1e-6)
    assert again.labels == tuple(LABELS)


@pytest.mark.matrix
def test_export_answers_as_the_model(model, tmp_path):
    model.export(tmp_path / "m", verbose=False)
    exported = tf.saved_model.load(tmp_path / "m")
    strings = tf.constant([" ".join(words) for words in SENTENCES])
    expected = model.predict(SENTENCES, verbose=0)
    np.testing.assert_allclose(exported.serve(strings), expected, atol=1e-6)


@pytest.mark.matrix
def test_logits_are_learned_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = _model(activation="linear")
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(ftkeras.optimizers.AdamW(5e-3), ftkeras.losses.CrossEntropy())
    data = (SENTENCES[:8], TAGS[:8], np.ones(8))
    settings = {"batch_size": 8, "epochs": 6, "verbose": 0}
    history = model.fit(SENTENCES, TAGS, validation_data=data, **settings).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert model.predict(SENTENCES[:1], verbose=0).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda model: model.predict("a b"),
            "`x` must be a list, an array or a column of sentences, such as",
        ),
        (lambda model: model.predict([["New York"]]), "`x` must consist of words.*'New York'"),
        (lambda model: model.predict([["a", ""]]), "`x` must consist of words.*''"),
        (lambda model: model.predict([1]), "`x` must be sentences; .* Received: 1"),
        (
            lambda model: model.fit([["a"]], [["B"]]),
            "`y` must contain only the labels O, .*Received: 'B'",
        ),
        (
            lambda model: model.fit([["a"]], [[3]]),
            "`y` must contain only the labels O, .*Received: 3",
        ),
        (lambda model: model.fit([["a"]], ["O"]), "`y` must have a list for each sentence"),
        (
            lambda model: model.fit([["a", "b"]], [["O"]]),
            "`y` must have one entry for each word. Received: 1 for the 2 words of 'a b'",
        ),
        (
            lambda model: model.fit([["a"]], [["O"]], sample_weight=[[1, 2]]),
            "`sample_weight` must have one entry for each word",
        ),
        (
            lambda model: model.fit([["a"]], [["O"]], class_weight={0: 2.0}),
            "`class_weight` must be None for 'token_classifier'.*use `sample_weight`",
        ),
        (
            lambda model: model.predict_labels("a b"),
            "`x` must be a list, an array or a column of sentences, such as",
        ),
        (lambda _: _model(labels=["O"]), "`labels` must be two or more"),
        (
            lambda _: _model(truncation=ftkeras.text.truncations.Tail()),
            "`truncation` must be Head.*Received: Tail",
        ),
    ],
)
def test_mistakes_are_named(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)
