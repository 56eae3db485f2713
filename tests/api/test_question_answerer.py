"""A Keras model that finds answers to questions in contexts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from tests import questions
from tests.finished import ENCODER

FOUND = questions.questions(200)
ROWS = [row for row in FOUND if row["answers"]][:18]
ROWS += [row for row in FOUND if not row["answers"]][:6]
COLUMNS = {name: [row[name] for row in ROWS] for name in ("question", "context")}
ANSWERS = [
    {name: [answer[name] for answer in row["answers"]] for name in ("text", "answer_start")}
    for row in ROWS
]
TEXTS = [answer["text"][0] if answer["text"] else None for answer in ANSWERS]
LENGTH = 48


def _model(**arguments) -> ftkeras.QuestionAnswerer:
    return ftkeras.QuestionAnswerer.from_pretrained(
        ENCODER, **{"max_length": LENGTH, "seed": 1} | arguments
    )


@pytest.fixture(scope="module")
def model() -> ftkeras.QuestionAnswerer:
    return _model()


def _tokens(model) -> dict[str, np.ndarray]:
    tokens = model.preprocessor(*COLUMNS.values())
    return {name: part.numpy() for name, part in tokens.items()}


def test_targets_are_the_tokens_that_hold_the_answer(model):
    tokens = _tokens(model)
    _, targets = model._examples(COLUMNS, ANSWERS)
    for n, (text, context) in enumerate(zip(TEXTS, COLUMNS["context"], strict=True)):
        first, last = targets[n]
        if text is None:
            assert (first, last) == (0, 0)
        else:
            assert context[tokens["word_starts"][n, first] : tokens["word_ends"][n, last]] == text
    pairs = zip(TEXTS, ANSWERS, COLUMNS["context"], strict=True)
    once = [text if text and context.count(text) == 1 else given for text, given, context in pairs]
    assert sum(isinstance(answer, str) for answer in once) > 9
    np.testing.assert_array_equal(model._examples(COLUMNS, once)[1], targets)


def test_loss_is_that_of_spans(model):
    probabilities = model.predict(COLUMNS, batch_size=7, verbose=0)
    assert probabilities.shape == (24, 2, LENGTH)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
    _, targets = model._examples(COLUMNS, ANSWERS)
    scores = np.log(np.maximum(probabilities, 1e-30)).transpose(0, 2, 1)
    expected = float(ftkeras.losses.SpanCrossEntropy()(targets, scores))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    loss, accuracy = model.evaluate(COLUMNS, ANSWERS, batch_size=24, verbose=0)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert accuracy == pytest.approx((probabilities.argmax(axis=-1) == targets).mean())
    double = model.evaluate(COLUMNS, targets, 24, 0, np.full(24, 2.0))
    assert double[0] == pytest.approx(2 * loss, rel=1e-5)


def _best(tokens, probabilities, longest: int) -> list[str | None]:
    """Return the best answers by comparing all spans."""
    found = []
    for n, context in enumerate(COLUMNS["context"]):
        inside = np.flatnonzero(tokens["word_ends"][n] >= 0)
        spans = [(i, j) for i in inside for j in inside if i <= j < i + longest]
        products = np.outer(*probabilities[n])
        first, last = max(spans, key=lambda span: products[span])
        place = slice(tokens["word_starts"][n, first], tokens["word_ends"][n, last])
        found.append(None if products[0, 0] > products[first, last] else context[place])
    return found


@pytest.mark.matrix
def test_model_learns_answers_and_is_saved(tmp_path):
    model = _model(longest=3)
    loss = "sparse_categorical_crossentropy"
    model.compile(ftkeras.optimizers.AdamW(5e-3), loss, metrics=["accuracy"])
    settings = {"batch_size": 8, "epochs": 12, "verbose": 0}
    history = model.fit(COLUMNS, ANSWERS, validation_split=0.25, **settings).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert np.isfinite(history["val_loss"]).all()
    answers = model.answers(COLUMNS, batch_size=7)
    probabilities = model.predict(COLUMNS, verbose=0)
    expected = _best(_tokens(model), probabilities, longest=3)
    assert [answer["answer"] for answer in answers] == expected
    assert len(set(expected)) > 2
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict(COLUMNS, verbose=0), probabilities, atol=1e-6)
    assert again.problem.search == model.problem.search


@pytest.mark.matrix
def test_export_answers_as_the_model(model, tmp_path):
    model.answerer().export(tmp_path / "m", verbose=False)
    exported = tf.saved_model.load(tmp_path / "m")
    served = exported.serve({name: tf.constant(part) for name, part in COLUMNS.items()})
    found = [answer.decode() or None for answer in served["answer"].numpy()]
    assert found == [answer["answer"] for answer in model.answers(COLUMNS)]


def test_answers_that_are_lost_or_moved_are_reported(caplog):
    model = _model(max_length=8)
    context = "The film was dull and the plot was charming."
    columns = {"question": ["the what?"] * 2, "context": [context] * 2}
    _, targets = model._examples(columns, [{"text": ["charming"], "answer_start": [3]}, None])
    assert targets.tolist() == [[0, 0], [0, 0]]
    assert "1 answer is not where its start says; the text was found elsewhere" in caplog.text
    assert "1 of 1 answer is beyond max_length=8" in caplog.text


def test_missing_answers_of_a_data_frame_are_no_answers(model):
    pandas = pytest.importorskip("pandas")
    rows = pandas.DataFrame({**COLUMNS, "answer": ["", float("nan"), *[None] * (len(ROWS) - 2)]})
    _, targets = model._examples({name: rows[name] for name in COLUMNS}, rows["answer"])
    assert not targets.any()


@pytest.mark.matrix
def test_scores_are_learned_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = _model(activation="linear")
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(ftkeras.optimizers.AdamW(5e-3), ftkeras.losses.CrossEntropy())
    history = model.fit(COLUMNS, ANSWERS, batch_size=8, epochs=6, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert model.predict(COLUMNS, verbose=0).dtype == np.float32


ASKED = {"question": ["a"], "context": ["the film"]}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.answers(["a"]), "`x` must be a dict, {'question': …, 'context': …}"),
        (
            lambda model: model.fit(ASKED, ["plot"]),
            "`y` at position 0: the answer 'plot' .* does not occur",
        ),
        (
            lambda model: model.fit(ASKED, [3]),
            "`y` at position 0: an answer must be a text, None, .*: 3",
        ),
        (lambda _: _model(no_answer=False).fit(ASKED, [None]), "`y` must be an answer for each"),
        (lambda model: model.fit(ASKED, ["film"], class_weight={0: 2}), "`class_weight` must be"),
        (lambda _: _model(longest=0), "`longest` must be an integer of at least 1"),
    ],
)
def test_mistakes_are_named(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)
