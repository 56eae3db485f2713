"""A Keras model that chooses one of the options of a question."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from tests import choices
from tests.finished import ENCODER

QUESTIONS, OPTIONS, ANSWERS = map(list, zip(*choices.questions(24), strict=True))
COLUMNS = {"question": QUESTIONS, "options": OPTIONS}


def _model(**arguments) -> ftkeras.MultipleChoice:
    return ftkeras.MultipleChoice.from_pretrained(
        ENCODER, **{"options": 4, "max_length": 24, "seed": 1} | arguments
    )


@pytest.fixture(scope="module")
def model() -> ftkeras.MultipleChoice:
    return _model()


def _scores(model, question: str, options: list[str]) -> np.ndarray:
    """Return the score of each option, read as a pair of texts."""
    pairs = ftkeras.text.from_pretrained(ENCODER, max_length=24)
    pooled = model.encoder(**pairs([question] * len(options), options))["pooled"]
    return np.array(pooled @ model.head.kernel + model.head.bias)[:, 0]


def test_probabilities_are_the_softmax_of_the_scores_of_pairs(model):
    found = model.predict(COLUMNS, batch_size=7, verbose=0)
    assert {len(options) for options in OPTIONS} == {2, 3, 4}
    for question, options, probabilities in zip(QUESTIONS, OPTIONS, found, strict=True):
        assert not probabilities[len(options) :].any()
        expected = keras.ops.softmax(_scores(model, question, options))
        np.testing.assert_allclose(probabilities[: len(options)], expected, atol=1e-6)
    lines = {**COLUMNS, "options": ["\n".join(options) for options in OPTIONS]}
    np.testing.assert_array_equal(model.predict(lines, batch_size=7, verbose=0), found)


@pytest.mark.matrix
def test_model_learns_and_is_saved(tmp_path):
    model = _model()
    loss = "sparse_categorical_crossentropy"
    model.compile(ftkeras.optimizers.AdamW(5e-3), loss, metrics=["accuracy"])
    settings = {"batch_size": 8, "epochs": 8, "verbose": 0}
    history = model.fit(COLUMNS, ANSWERS, validation_split=0.25, **settings).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert np.isfinite(history["val_loss"]).all()
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    expected = model.predict(COLUMNS, verbose=0)
    np.testing.assert_allclose(again.predict(COLUMNS, verbose=0), expected, atol=1e-6)
    # The head of the same name is still loaded as what it is.
    config = keras.saving.serialize_keras_object(model.head)
    assert type(keras.saving.deserialize_keras_object(config)) is type(model.head)


@pytest.mark.matrix
def test_export_answers_as_the_model(model, tmp_path):
    model.export(tmp_path / "m", verbose=False)
    exported = tf.saved_model.load(tmp_path / "m")
    lines = tf.constant(["\n".join(options) for options in OPTIONS])
    served = exported.serve({"question": tf.constant(QUESTIONS), "options": lines})
    np.testing.assert_allclose(served, model.predict(COLUMNS, verbose=0), atol=1e-6)


@pytest.mark.matrix
def test_scores_are_learned_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = _model(activation="linear")
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(ftkeras.optimizers.AdamW(5e-3), ftkeras.losses.CrossEntropy())
    history = model.fit(COLUMNS, ANSWERS, batch_size=8, epochs=6, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert model.predict(COLUMNS, verbose=0).dtype == np.float32


def _asked(*options) -> dict:
    return {"question": ["a"], "options": [list(options)]}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.predict(["a"]), "`x` must be a dict, {'question': …, 'options': …}"),
        (
            lambda model: model.predict(_asked("a")),
            r"`x\['options'\]`: a question needs two or more options",
        ),
        (
            lambda model: model.predict(_asked("a", "")),
            r"`x\['options'\]`: options must be a list of texts",
        ),
        (
            lambda model: model.predict(_asked(*"abcde")),
            r"`x\['options'\]` must have at most 4 options",
        ),
        (
            lambda model: model.fit(_asked("a", "b"), [2]),
            "the number of a question's options less 1. Received: 2 at position 0",
        ),
        (lambda model: model.fit(_asked("a", "b"), ["b"]), "`y` must be the numbers of the right"),
        (lambda _: _model(options=1), "`options` must be an integer of at least 2"),
        (
            lambda model: ftkeras.MultipleChoice(
                preprocessor=model.preprocessor,
                encoder=model.encoder,
                head=ftkeras.heads.MultipleChoice(outputs=3),
            ),
            "`preprocessor` must be made with options=3.*Received: options=4",
        ),
    ],
)
def test_mistakes_are_named(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)
