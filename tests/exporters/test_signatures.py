"""The signatures, called as functions before they are saved."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.exporters._signatures import Served
from ftkeras.exporters._weights import Weights
from ftkeras.problems.regression import Regression
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.windows import Windows
from tests.exporters import small

FIRST, SECOND = small.TEXTS, small.TEXTS[::-1]


def _served(model, layer, **keys):
    weights = Weights(model)
    return Served(weights=weights, text_layer=layer, problem=small.PROBLEM, **keys)


@pytest.fixture(scope="module")
def one():
    """Return the signatures for single texts, and the model's probabilities."""
    model, layer = small.model(), small.text_layer()
    found = _served(model, layer, pairs=False, explain_steps=24).signatures()
    return found, small.probabilities(model, layer, FIRST)


@pytest.fixture(scope="module")
def two():
    model, layer = small.model(), small.text_layer()
    found = _served(model, layer, pairs=True, explain_steps=2).signatures()
    return found, small.probabilities(model, layer, FIRST, SECOND)


def _examples(**columns) -> tf.Tensor:
    def example(row):
        values = {n: tf.train.BytesList(value=[t]) for n, t in zip(columns, row, strict=True)}
        features = {n: tf.train.Feature(bytes_list=v) for n, v in values.items()}
        return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()

    return tf.constant([example(row) for row in zip(*columns.values(), strict=True)])


def test_prediction_has_label_score_and_probabilities(one):
    signatures, expected = one
    answer = signatures["serving_default"](text=tf.constant(FIRST))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    np.testing.assert_allclose(answer["score"], expected.max(axis=1), atol=1e-5)
    labels = [label.decode() for label in answer["label"].numpy()]
    assert labels == [small.LABELS[i] for i in expected.argmax(axis=1)]
    assert len(set(labels)) > 1


def test_empty_batch_gives_an_empty_prediction(one):
    answer = one[0]["serving_default"](text=tf.constant([], tf.string))
    assert answer["probabilities"].shape == (0, 3)


def test_examples_are_classified_as_texts(one):
    answer = one[0]["classify"](inputs=_examples(text=FIRST))
    np.testing.assert_allclose(answer["scores"], one[1], atol=1e-5)
    assert answer["classes"].numpy().tolist() == [[c.encode() for c in small.LABELS]] * len(FIRST)


def test_example_without_its_text_is_refused(one):
    with pytest.raises(tf.errors.InvalidArgumentError, match="text"):
        one[0]["classify"](inputs=_examples(review=FIRST))


def test_embedding_is_the_input_of_the_head(one):
    embedding = one[0]["embed"](text=tf.constant(FIRST))["embedding"]
    head = small.model().head
    predicted = tf.nn.softmax(tf.matmul(embedding, head.kernel.value) + head.bias.value)
    np.testing.assert_allclose(predicted, one[1], atol=1e-5)


def test_explanation_names_the_tokens_and_adds_up(one):
    answer = one[0]["explain"](text=tf.constant([FIRST[0]]))
    tokens = [token.decode() for token in answer["tokens"].numpy()[0]]
    assert tokens[:7] == ["[CLS]", "worth", "every", "minute", ".", "[SEP]", ""]
    np.testing.assert_allclose(answer["probabilities"][0], one[1][0], atol=1e-5)
    attributions = answer["attributions"].numpy()[0]
    assert np.count_nonzero(attributions) == 4
    assert abs(answer["gap"].numpy()[0]) < 0.02 * np.abs(attributions).sum()
    assert answer["explained"].numpy().tolist() == answer["label"].numpy().tolist()


def test_explanation_of_several_numbers_names_the_one_that_it_explains():
    """By how many standard deviations it is above its mean, not by the number itself."""
    model, names = small.model(), ("a", "b", "c")
    numbers = Regression(labels=names)
    numbers.fit(np.array([[0.0, 100.0, -7.0], [1.0, 300.0, -5.0]]))
    weights, layer = Weights(model), small.text_layer()
    served = Served(
        weights=weights, text_layer=layer, problem=numbers, pairs=False, explain_steps=2
    )
    answer = served.signatures()["explain"](text=tf.constant(FIRST))
    places = [names.index(name.decode()) for name in answer["explained"].numpy()]
    values = answer["values"].numpy()
    assert places == ((values - [0.5, 200, -6]) / [0.5, 100, 1]).argmax(axis=1).tolist()
    assert places != values.argmax(axis=1).tolist()


@pytest.mark.matrix
def test_pairs_are_served_by_default_and_by_name(two):
    signatures, expected = two
    texts = {"text": tf.constant(FIRST), "pair": tf.constant(SECOND)}
    for name in ("serving_default", "pair"):
        answer = signatures[name](**texts)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    scores = signatures["classify"](inputs=_examples(text=FIRST, pair=SECOND))["scores"]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert signatures["embed"](**texts)["embedding"].shape == (len(FIRST), 24)


@pytest.mark.matrix
def test_order_of_a_pair_changes_the_prediction(two):
    swapped = two[0]["pair"](text=tf.constant(SECOND), pair=tf.constant(FIRST))
    assert np.abs(swapped["probabilities"] - two[1]).max() > 1e-3


def test_pair_and_explain_exist_only_if_asked_for(one):
    assert set(one[0]) == {
        *("serving_default", "token_ids", "classify", "embed", "explain", "token_counts"),
    }
    served = _served(small.model(layers=1), small.text_layer(), pairs=False)
    assert "explain" not in served.signatures()


@pytest.mark.matrix
def test_batches_have_one_of_few_lengths(one):
    served = _served(small.model(layers=1), small.text_layer(), pairs=False)
    shapes = {
        served.token_ids({"text": np.array([b"the " * words], object)})["token_ids"].shape[1]
        for words in range(60)
    }
    assert shapes == set(served.lengths) == {16, 32, 40}


@pytest.mark.parametrize("truncation", [Head(), Windows(overlap=2)])
def test_token_counts_are_of_what_the_network_reads(truncation):
    layer = small.text_layer(12)
    layer.truncation = truncation
    layer.tokenizer.unknown_id = layer.tokenizer.vocabulary.index("movie")
    texts = [b"the movie " * 20, b"", b"a movie", b"good"]
    served = _served(small.model(layers=1), layer, pairs=False)
    made = layer(tf.constant(texts))
    counts = served.signatures()["token_counts"](text=tf.constant(texts))
    rows = [np.array(row) for row in made["token_ids"].to_list()]
    sizes = made["window_counts"].numpy() if "window_counts" in made else np.ones(4, int)
    text = np.repeat(np.arange(4), sizes)
    unknown = [(row == layer.tokenizer.unknown_id).sum() for row in rows]
    tokens = np.bincount(text, list(map(len, rows)))
    assert counts["tokens"].numpy().tolist() == tokens.tolist()
    assert counts["unknown"].numpy().tolist() == np.bincount(text, unknown).tolist()
    assert counts["unknown"].numpy()[0] > 0


@pytest.mark.parametrize(("settings", "rows"), [({"each_text": True}, 2), ({"options": 3}, 3)])
def test_token_counts_add_up_the_rows_of_an_example(settings, rows):
    layer = small.text_layer(12)
    vars(layer).update(settings, segments=False)
    pairs = [b"a good movie", b"bad\ngood"]
    texts = {"text": tf.constant([b"movie", b"what?"]), "pair": tf.constant(pairs)}
    served = _served(small.model(layers=1), layer, pairs=True)
    lengths = layer(*texts.values())["token_ids"].row_lengths().numpy().reshape(2, rows)
    counts = served.signatures()["token_counts"](**texts)["tokens"].numpy()
    assert counts.tolist() == lengths.sum(axis=1).tolist()
