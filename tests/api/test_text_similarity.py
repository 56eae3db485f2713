"""A Keras model of pairs of raw strings, and the vectors of single ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from ftkeras.problems.similarity import Similarity
from tests import text_pairs
from tests.finished import ENCODER

PAIRS = text_pairs.scored(24)
TEXTS = {name: [pair[n] for pair in PAIRS] for n, name in enumerate(("text", "pair"))}
SCORES = [pair[2] / 5 for pair in PAIRS]


def _model(**arguments) -> ftkeras.TextSimilarity:
    return ftkeras.TextSimilarity.from_pretrained(
        ENCODER, **{"max_length": 16, "seed": 1} | arguments
    )


@pytest.fixture(scope="module")
def model() -> ftkeras.TextSimilarity:
    return _model()


def test_cosine_is_that_of_the_vectors_and_of_the_problem(model):
    cosines = model.predict(TEXTS, batch_size=7, verbose=0)
    first, second = (model.embed(column, batch_size=5) for column in TEXTS.values())
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-6)
    assert np.ptp(cosines) > 0.01
    np.testing.assert_allclose(cosines[:, 0], (first * second).sum(axis=1), atol=1e-6)
    vectors = ftkeras.TextSimilarity(
        preprocessor=model.preprocessor,
        encoder=model.encoder,
        head=model.head,
        returns="vectors",
    ).predict(TEXTS, verbose=0)
    np.testing.assert_allclose(vectors, np.hstack([first, second]), atol=1e-6)
    problem = Similarity(labels=["score"], low=0.0, high=1.0)
    np.testing.assert_allclose(problem.activate(vectors), cosines[:, 0], atol=1e-6)


def test_loss_is_that_of_the_problem_for_either_output(model):
    model.compile("sgd", "mse", run_eagerly=True)
    expected = np.square(model.predict(TEXTS, verbose=0)[:, 0] - SCORES)
    weights = np.linspace(0, 2, len(SCORES))
    found = model.evaluate(TEXTS, SCORES, sample_weight=weights, batch_size=24, verbose=0)
    assert found == pytest.approx((weights * expected).mean(), rel=1e-5)
    both = _model(returns="vectors")
    both.compile("sgd", ftkeras.losses.CosineRegression(), run_eagerly=True)
    found = both.evaluate(TEXTS, SCORES, batch_size=24, verbose=0)
    assert found == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.matrix
def test_model_learns_and_is_saved(tmp_path):
    model = _model()
    model.compile(ftkeras.optimizers.AdamW(2e-3), "mse", metrics=["mae"])
    history = model.fit(
        TEXTS, SCORES, batch_size=8, epochs=4, validation_split=0.25, verbose=0
    ).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert np.isfinite(history["val_mae"]).all()
    vectors = model.embed(TEXTS["text"])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    expected = model.predict(TEXTS, verbose=0)
    np.testing.assert_allclose(again.predict(TEXTS, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(again.embed(TEXTS["text"]), vectors, atol=1e-6)


@pytest.mark.matrix
def test_exports_answer_as_the_model(model, tmp_path):
    model.export(tmp_path / "pairs", verbose=False)
    exported = tf.saved_model.load(tmp_path / "pairs")
    columns = {name: tf.constant(column) for name, column in TEXTS.items()}
    expected = model.predict(TEXTS, verbose=0)
    np.testing.assert_allclose(exported.serve(columns), expected, atol=1e-6)
    model.embedder().export(tmp_path / "texts", verbose=False)
    embedder = tf.saved_model.load(tmp_path / "texts")
    vectors = model.embed(TEXTS["text"])
    np.testing.assert_allclose(embedder.serve(columns["text"]), vectors, atol=1e-6)


@pytest.mark.matrix
def test_pairs_without_scores_are_learned_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = _model(returns="vectors")
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(ftkeras.optimizers.AdamW(2e-3), ftkeras.losses.InBatchNegatives())
    texts, pairs = zip(*text_pairs.positive(32), strict=True)
    columns, nothing = {"text": texts, "pair": pairs}, np.zeros(32)
    history = model.fit(columns, nothing, batch_size=8, epochs=6, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert model.embed(texts).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.fit(["a"], [1]), "`x` must be a dict, {'text': …, 'pair': …}"),
        (lambda model: model.predict({"text": ["a"]}), "`x` must have 'text' and 'pair'"),
        (lambda model: model.fit(TEXTS, [5] * 24), "`y` must be similarities from -1 to 1"),
        (lambda model: model.fit(TEXTS, ["a"] * 24), "`y` must be similarities.*Received: .*a"),
        (lambda model: model.embed("a"), "`texts` must be a list, an array or a column of texts"),
        (lambda _: _model(returns="logits"), "`returns` must be one of cosine, vectors"),
        (lambda _: _model(reads="texts"), "`preprocessor` must be made with reads='each_text'"),
    ],
)
def test_mistakes_are_named(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)
