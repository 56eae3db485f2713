"""The forms in which Keras models on raw strings take texts, answers and weights."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import ftkeras
from tests.finished import ENCODER
from tests.matrix import also

TEXTS = ["The film was dull.", "The film was charming.", "The plot was dull."]
LABELS = ["neg", "pos"]
NAMES, NUMBERS = ["neg", "pos", "neg"], [0, 1, 0]
WORDS = [text.split() for text in TEXTS]
TAGS = [["O", "B", "O", "O"], ["O", "O", "O", "B"], ["O", "B", "B", "O"]]
TAG_NUMBERS = [["OB".index(tag) for tag in tags] for tags in TAGS]
OPTIONS = [["yes", "no"], ["here", "there", "nowhere"], ["I", "you"]]
INDEX = [7, 8, 9]
SPARSE = "sparse_categorical_crossentropy"


def _made(name, loss, *arguments, **settings):
    build = getattr(ftkeras, name).from_pretrained
    model = build(ENCODER, *arguments, max_length=24, seed=1, **settings)
    model.compile("sgd", loss, run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def classifier():
    return _made("TextClassifier", SPARSE, LABELS)


@pytest.fixture(scope="module")
def several():
    return _made("MultiLabelTextClassifier", "binary_crossentropy", ["film", "praise"])


@pytest.fixture(scope="module")
def tagger():
    return _made("TokenClassifier", SPARSE, ["O", "B"])


@pytest.fixture(scope="module")
def choice():
    return _made("MultipleChoice", SPARSE, 4)


@pytest.fixture(scope="module")
def answerer():
    return _made("QuestionAnswerer", SPARSE)


def _dataset(*columns):
    return tf.data.Dataset.from_tensor_slices(columns if len(columns) > 1 else columns[0])


def _rows(rows, dtype):
    spec = tf.TensorSpec((None,), dtype)
    return tf.data.Dataset.from_generator(lambda: iter(rows), output_signature=spec)


@pytest.mark.parametrize(
    "x",
    [
        np.array(TEXTS, object)[:, None],
        [text.encode() for text in TEXTS],
        pd.Series(TEXTS, index=INDEX),
        pd.DataFrame({"text": TEXTS}),
        _dataset({"text": TEXTS}).batch(2),
        *also(
            tuple(TEXTS),
            np.array(TEXTS),
            [np.array(text) for text in TEXTS],
            pd.Series(TEXTS, dtype="category"),
            {"text": TEXTS},
            tf.constant(TEXTS),
            _dataset(TEXTS, NUMBERS).batch(2),
        ),
    ],
    ids=lambda x: type(x).__name__,
)
def test_texts(classifier, x):
    expected = classifier(tf.constant(TEXTS))
    np.testing.assert_allclose(classifier.predict(x, verbose=0), expected, atol=1e-6)


def test_generator_has_batches_of_any_of_these_forms(classifier):
    expected = classifier(tf.constant(TEXTS))
    found = classifier.predict((TEXTS[n : n + 1] for n in range(3)), verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    batches = ((tuple(TEXTS), pd.Series(NAMES), [1.0, 2.0, 3.0]) for _ in range(2))
    weighted = classifier.evaluate(TEXTS, NUMBERS, sample_weight=[1, 2, 3], verbose=0)
    assert classifier.evaluate(batches, verbose=0) == pytest.approx(weighted, rel=1e-5)


@pytest.mark.parametrize(
    "y",
    [
        NAMES,
        pd.Series(NAMES, index=INDEX, dtype="category"),
        np.array(NUMBERS, float)[:, None],
        *also(
            [name.encode() for name in NAMES],
            pd.DataFrame({"label": NAMES}),
            tf.constant(NAMES),
            np.array(NUMBERS, object),
            [False, True, False],
            pd.Series(NUMBERS, dtype="Int64"),
        ),
    ],
    ids=lambda y: type(y).__name__,
)
def test_labels(classifier, y):
    expected = classifier.evaluate(_dataset(TEXTS, NUMBERS).batch(3), verbose=0)
    assert classifier.evaluate(TEXTS, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_names_are_numbered_by_a_layer_of_keras(classifier):
    lookup = keras.layers.StringLookup(vocabulary=classifier.labels, num_oov_indices=0)
    data = _dataset(TEXTS, NAMES).batch(3).map(lambda x, y: (x, lookup(y)))
    expected = classifier.evaluate(TEXTS, NAMES, verbose=0)
    assert classifier.evaluate(data, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_probabilities_are_answers_if_the_loss_takes_them(classifier):
    expected = classifier.evaluate(TEXTS, NAMES, verbose=0)
    other = ftkeras.TextClassifier(
        preprocessor=classifier.preprocessor,
        encoder=classifier.encoder,
        head=classifier.head,
        labels=LABELS,
    )
    other.compile("sgd", "categorical_crossentropy", run_eagerly=True)
    one_hot = np.eye(2)[NUMBERS]
    tables = pd.get_dummies(pd.Series(NAMES))[["pos", "neg"]], pd.DataFrame(one_hot)
    for y in (one_hot.tolist(), *tables):
        assert other.evaluate(TEXTS, y, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "y",
    [
        pd.DataFrame({"praise": [0, 1, 0], "film": [1, 1, 0]}),
        {"film": [1, 1, 0], "praise": [0, 1, 0]},
        [np.array(["film"]), pd.Series(["praise", "film"]), np.array([], object)],
        [(b"film",), {"film", "praise"}, []],
        tf.constant([[1, 0], [1, 1], [0, 0]]),
    ],
    ids=lambda y: type(y).__name__,
)
def test_several_labels(several, y):
    matrix = np.array([[1, 0], [1, 1], [0, 0]])
    expected = several.evaluate(TEXTS, matrix, verbose=0)
    assert several.evaluate(TEXTS, y, verbose=0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "weights",
    [[1, 2, 3], (1.0, 2.0, 3.0), pd.Series([1, 2, 3], index=INDEX), np.array([[1], [2], [3]])],
)
def test_weights(classifier, weights):
    data = _dataset(TEXTS, NUMBERS, [1.0, 2.0, 3.0]).batch(3)
    expected = classifier.evaluate(data, verbose=0)
    found = classifier.evaluate(TEXTS, NAMES, sample_weight=weights, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)


def test_classes_are_weighed_by_name(classifier):
    for weights in ({"pos": 3}, {1: 3.0}, {np.int64(1): 3}, pd.Series({"neg": 1, "pos": 3})):
        assert classifier._class_weights(weights) == {0: 1.0, 1: 3.0}
    classifier.optimizer.learning_rate = 0.0
    for data in ((TEXTS, NAMES), (_dataset(TEXTS, NUMBERS).batch(3),)):
        little = classifier.fit(*data, class_weight={"neg": 0, "pos": 1e-9}, verbose=0).history
        assert little["loss"] == pytest.approx([0], abs=1e-7)


@pytest.mark.parametrize(
    "given",
    [
        [pd.Series(TEXTS), NUMBERS],
        *also((TEXTS, NAMES), (TEXTS, NAMES, [1, 1, 1]), _dataset(TEXTS, NUMBERS).batch(3)),
    ],
    ids=["list", "tuple", "weights", "dataset"],
)
def test_validation_data(classifier, given):
    expected = classifier.evaluate(TEXTS, NAMES, verbose=0)
    classifier.optimizer.learning_rate = 0.0
    history = classifier.fit(TEXTS, NAMES, validation_data=given, epochs=2, verbose=0).history
    assert history["val_loss"] == pytest.approx([expected] * 2, rel=1e-5)


def test_batches_may_be_trained_on_one_by_one(classifier):
    expected = classifier.evaluate(TEXTS, NAMES, verbose=0)
    assert float(classifier.test_on_batch(TEXTS, NAMES)) == pytest.approx(expected, rel=1e-5)
    little = classifier.train_on_batch(TEXTS, NAMES, class_weight={"neg": 0, "pos": 1e-9})
    assert float(little) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(
    "x",
    [
        [pd.Series(words) for words in WORDS],
        _rows(WORDS, tf.string).padded_batch(3),
        *also(
            tf.ragged.constant(WORDS),
            [np.array(words) for words in WORDS],
            pd.DataFrame({"text": WORDS, "more": 1}),
            [[word.encode() for word in words] for words in WORDS],
            _dataset(tf.ragged.constant(WORDS)).batch(3),
        ),
    ],
    ids=lambda x: type(x).__name__,
)
def test_words(tagger, x):
    expected = tagger(tf.constant(TEXTS))
    np.testing.assert_allclose(tagger.predict(x, verbose=0), expected, atol=1e-6)


SENTENCES, ROWS = [["dull"], *WORDS[1:]], [[1], *TAG_NUMBERS[1:]]
STRINGS = [" ".join(words) for words in SENTENCES]


@pytest.mark.parametrize(
    "data",
    [
        tf.data.Dataset.zip(_rows(SENTENCES, tf.string), _rows(ROWS, tf.int32)).padded_batch(3),
        *also(
            tf.data.Dataset.zip(_dataset(STRINGS), _rows(ROWS, tf.int32)).padded_batch(
                3, padding_values=("", -100)
            ),
            _dataset(tf.ragged.constant(SENTENCES), tf.ragged.constant(ROWS)).batch(3),
            _dataset(STRINGS, tf.ragged.constant(ROWS), [1.0, 1.0, 1.0]).batch(3),
        ),
    ],
    ids=["padded", "padded_labels", "ragged", "weights"],
)
def test_labels_of_words_in_datasets(tagger, data):
    expected = tagger.evaluate(SENTENCES, ROWS, verbose=0)
    assert tagger.evaluate(data, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "y",
    [
        pd.DataFrame({"tags": [["OB"[n] for n in row] for row in ROWS]}),
        *also(
            tf.ragged.constant(ROWS),
            [np.array(row, float) for row in ROWS],
            np.array([[*row, *[-100] * (6 - len(row))] for row in ROWS]),
        ),
    ],
    ids=lambda y: type(y).__name__,
)
def test_labels_of_words(tagger, y):
    expected = tagger.evaluate(SENTENCES, ROWS, verbose=0)
    assert tagger.evaluate(SENTENCES, y, verbose=0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        [pd.Series(row) for row in OPTIONS],
        *also(
            tuple(map(tuple, OPTIONS)),
            [np.array(row) for row in OPTIONS],
            [[option.encode() for option in row] for row in OPTIONS],
            tf.ragged.constant(OPTIONS),
        ),
    ],
    ids=["series", "tuples", "arrays", "bytes", "ragged"],
)
def test_options(choice, options):
    expected = choice.predict({"question": TEXTS, "options": OPTIONS}, verbose=0)
    for x in ({"question": pd.Series(TEXTS), "options": options}, None):
        if x is None:
            x = pd.DataFrame({"question": TEXTS, "options": list(map(list, OPTIONS))})
        np.testing.assert_allclose(choice.predict(x, verbose=0), expected, atol=1e-6)


def test_options_in_datasets(choice):
    columns = {"question": TEXTS, "options": OPTIONS}
    expected = choice.evaluate(columns, NUMBERS, verbose=0)
    padded = [row + [""] * (3 - len(row)) for row in OPTIONS]
    for options in (padded, tf.ragged.constant(OPTIONS)):
        data = _dataset({**columns, "options": options}, NUMBERS).batch(3)
        assert choice.evaluate(data, verbose=0) == pytest.approx(expected, rel=1e-5)


ASKED = {"question": ["How?"] * 3, "context": TEXTS}
PLACES = {"text": ["dull", "charming", "dull"], "answer_start": [13, 13, 13]}


@pytest.mark.parametrize(
    "y",
    [
        PLACES,
        pd.DataFrame(PLACES),
        {name: [[part] for part in column] for name, column in PLACES.items()},
        [{name: column[n] for name, column in PLACES.items()} for n in range(3)],
        [[{name: column[n] for name, column in PLACES.items()}] for n in range(3)],
        [b"dull", ["charming"], np.array(["dull"])],
    ],
    ids=["dict", "frame", "lists", "rows", "squad", "texts"],
)
def test_answers_of_questions(answerer, y, caplog):
    expected = answerer.targets(ASKED, ["dull", "charming", "dull"])
    tensors = {name: tf.constant(column) for name, column in ASKED.items()}
    for x in (ASKED, pd.DataFrame(ASKED), tensors):
        np.testing.assert_array_equal(answerer.targets(x, y), expected)
    np.testing.assert_array_equal(answerer.targets(ASKED, expected.tolist()), expected)
    assert not caplog.text


@pytest.mark.matrix
def test_dataset_has_the_targets_of_answers(classifier, several, tagger, choice, answerer):
    answers = {
        classifier: (TEXTS, NAMES),
        several: (TEXTS, [["film"], ["film", "praise"], []]),
        tagger: (TEXTS, TAGS),
        choice: ({"question": TEXTS, "options": list(map("\n".join, OPTIONS))}, NUMBERS),
        answerer: (ASKED, ["dull", None, "dull"]),
    }
    for model, (x, y) in answers.items():
        data = _dataset(x, model.targets(x, y)).batch(3)
        expected = model.evaluate(x, y, verbose=0)
        assert model.evaluate(data, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_missing_answer_is_none(answerer):
    for missing in (None, float("nan"), pd.NA, "", {"text": [], "answer_start": []}):
        found = answerer.targets(ASKED, ["dull", missing, "dull"])
        assert found[1].tolist() == [0, 0] != found[0].tolist()


def test_columns_that_are_not_read_are_reported(classifier, caplog):
    expected = classifier(tf.constant(TEXTS))
    columns = {"text": TEXTS, "stars": [1, 2, 3]}
    for x in (pd.DataFrame(columns), columns, _dataset(columns).batch(3)):
        caplog.clear()
        np.testing.assert_allclose(classifier.predict(x, verbose=0), expected, atol=1e-6)
        assert "columns of `x` that the model does not read: 'stars'" in caplog.text


def test_dataset_is_not_said_to_be_shuffled(classifier, recwarn):
    classifier.fit(_dataset(TEXTS, NUMBERS).batch(3), verbose=0)
    assert not [warning for warning in recwarn if "shuffle" in str(warning.message)]
