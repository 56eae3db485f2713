"""Batches with little padding, for any Keras model with an encoder."""

import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from ftkeras.losses import CrossEntropy
from tests.finished import ENCODER
from tests.matrix import matrix

WORDS = ("dull", "charming", "moving", "weak", "superb", "silly", "long", "short")
# Texts of 3 to 26 tokens, in no order.
TEXTS = [f"The film was {'very ' * (7 * i % 23)}{WORDS[i % 8]}." for i in range(40)]
LABELS = np.arange(40) % 2
KINDS = ("bucketed", "packed")


@pytest.fixture(scope="module")
def model():
    return ftkeras.TextClassifier.from_pretrained(
        ENCODER, ["neg", "pos"], max_length=32, activation="linear", dropout=0.0, seed=1
    )


def _data(*columns):
    return tf.data.Dataset.from_tensor_slices(columns if len(columns) > 1 else columns[0])


def _batches(kind, preprocessor, **arguments):
    make = {"bucketed": ftkeras.bucketed_batches, "packed": ftkeras.packed_batches}[kind]
    return make(preprocessor, **{"batch_size": 8} | arguments)


def _rows(batch):
    """Return the ids of each text of a batch, by its number, which is its label."""
    x, y, *weight = batch
    width, starts = x["token_ids"].shape[1], x.get("starts")
    found = {}
    for place, number in enumerate(np.asarray(y)):
        if weight and not weight[0][place]:
            continue
        row, slot = (place, 0) if starts is None else divmod(place, starts.shape[1])
        ends = [width] if starts is None else [*starts[row, 1:], width]
        begin = 0 if starts is None else starts[row, slot]
        own = slice(begin, min([end for end in ends if end > begin] or [width]))
        found[int(number)] = x["token_ids"][row, own][x["padding_mask"][row, own] == 1].tolist()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_pass_has_every_text_once_with_its_answer(model, kind):
    tokens = model.preprocessor(TEXTS)
    expected = {
        i: ids[mask].tolist()
        for i, (ids, mask) in enumerate(
            zip(tokens["token_ids"].numpy(), tokens["padding_mask"].numpy(), strict=True)
        )
    }
    dataset = _data(TEXTS, np.arange(40)).apply(_batches(kind, model.preprocessor))
    passes = [list(dataset.as_numpy_iterator()) for _ in range(2)]
    for batches in passes:
        assert len(batches) == len(dataset)
        rows = [_rows(batch) for batch in batches]
        assert sum(map(len, rows)) == 40
        assert {number: ids for row in rows for number, ids in row.items()} == expected
    first, second = ([sorted(_rows(batch)) for batch in batches] for batches in passes)
    assert first != second


@pytest.mark.parametrize("kind", KINDS)
def test_batches_have_little_padding(model, kind):
    fine = {"multiple": 4} if kind == "bucketed" else {}
    dataset = _data(TEXTS, LABELS).apply(_batches(kind, model.preprocessor, batch_size=10, **fine))
    masks = [x["padding_mask"] for x, *_ in dataset.as_numpy_iterator()]
    used, places = sum(mask.sum() for mask in masks), sum(mask.size for mask in masks)
    plain = model.preprocessor(TEXTS)["padding_mask"].numpy()
    assert used == plain.sum()
    assert used / places > 0.75 > plain.mean()
    shapes = {mask.shape for mask in masks}
    assert len(shapes) == 1 if kind == "packed" else len(shapes) > 1


@pytest.mark.parametrize("kind", matrix(KINDS, default=["bucketed"]))
def test_the_order_depends_on_the_seed_and_the_pass_only(model, kind):
    def passes(**arguments):
        dataset = _data(TEXTS, np.arange(40)).apply(_batches(kind, model.preprocessor, **arguments))
        return [[sorted(_rows(b)) for b in dataset.as_numpy_iterator()] for _ in range(2)]

    assert passes(seed=3) == passes(seed=3)
    assert passes(seed=3) != passes(seed=4)
    one, other = passes(shuffle=False)
    assert one == other


@pytest.mark.parametrize("kind", matrix(KINDS, default=["packed"]))
def test_a_model_on_tokens_answers_and_trains_as_the_model_on_texts(model, kind):
    on_tokens = model.on_tokens()
    for each in (model, on_tokens):
        each.compile("sgd", CrossEntropy(), weighted_metrics=["accuracy"])
    batches = _data(TEXTS, LABELS).apply(_batches(kind, model.preprocessor))
    texts = model.evaluate(TEXTS, LABELS, verbose=0, return_dict=True)
    tokens = on_tokens.evaluate(batches, verbose=0, return_dict=True)
    assert tokens["accuracy"] == pytest.approx(texts["accuracy"], abs=1e-6)
    assert tokens["loss"] == pytest.approx(texts["loss"], rel=1e-5)
    outputs = np.concatenate(
        [np.asarray(on_tokens(x))[np.asarray(w[0]) > 0 if w else ...] for x, _, *w in batches]
    )
    expected = model.predict(TEXTS, verbose=0)
    np.testing.assert_allclose(np.sort(outputs, axis=0), np.sort(expected, axis=0), atol=1e-5)
    before = model.head.get_weights()
    on_tokens.fit(batches, verbose=0)
    assert not np.array_equal(model.head.get_weights()[0], before[0])


def test_weights_belong_to_their_texts(model):
    dataset = _data(TEXTS, np.arange(40.0), np.arange(40))
    for kind in KINDS:
        batches = list(dataset.apply(_batches(kind, model.preprocessor)).as_numpy_iterator())
        places = sum(len(y) for _, y, _ in batches)
        for _, y, weight in batches:
            np.testing.assert_allclose(weight, y * places / 40, rtol=1e-6)


def test_model_on_tokens_names_what_to_save(model, tmp_path):
    with pytest.raises(
        ValueError, match="can't be saved as a whole: save the model that `on_tokens`"
    ):
        model.on_tokens().save(tmp_path / "model.keras")


def test_each_replica_gets_as_many_rows(model):
    make = _batches("bucketed", model.preprocessor, batch_size=9, replicas=2)
    batches = list(_data(TEXTS, np.arange(40)).apply(make).as_numpy_iterator())
    assert all(len(x["token_ids"]) % 2 == 0 for x, *_ in batches)
    assert sorted(number for batch in batches for number in _rows(batch)) == list(range(40))


@pytest.mark.matrix
def test_replicas_share_bucketed_batches(model):
    make = _batches("bucketed", model.preprocessor, batch_size=9, replicas=2)
    dataset = _data(TEXTS, LABELS).apply(make)
    model.compile("sgd", CrossEntropy(), weighted_metrics=["accuracy"])
    expected = model.evaluate(TEXTS, LABELS, verbose=0, return_dict=True)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        other = ftkeras.TextClassifier.from_config(model.get_config())
        on_tokens = other.on_tokens()
        on_tokens.compile("sgd", CrossEntropy(), weighted_metrics=["accuracy"])
    other.set_weights(model.get_weights())
    found = on_tokens.evaluate(dataset, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-5)
    on_tokens.fit(dataset, verbose=0)
    assert not np.array_equal(other.head.get_weights()[0], model.head.get_weights()[0])


def test_pairs_have_segments():
    model = ftkeras.TextRegressor.from_pretrained(ENCODER, outputs=1, max_length=32, pairs=True)
    data = _data({"pair": TEXTS[::-1], "text": TEXTS}, np.arange(40.0))
    (batch,) = data.take(1).apply(_batches("bucketed", model.preprocessor)).as_numpy_iterator()
    expected = model.preprocessor(TEXTS[:1], TEXTS[-1:])
    width = expected["token_ids"].shape[1]
    assert np.array_equal(batch[0]["token_ids"][:, :width], expected["token_ids"])
    assert np.array_equal(batch[0]["segment_ids"][:, :width], expected["segment_ids"])
    on_tokens = model.on_tokens()
    on_tokens.compile("sgd", "mse")
    on_tokens.fit(data.apply(_batches("bucketed", model.preprocessor)), verbose=0)


def test_texts_alone_are_batched_for_prediction(model):
    batches = list(_data(TEXTS).apply(_batches("bucketed", model.preprocessor)))
    assert set(batches[0]) == {"token_ids", "padding_mask"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.repeat(), "the dataset must have an end; remove `repeat`"),
        (lambda data: data.batch(2), "must have single examples; use `dataset.unbatch\\(\\)`"),
        (lambda data: data.take(0), "the dataset must have examples"),
        (lambda data: data.map(lambda x, y: (y, y)), "the dataset's x must be a string or a dict"),
        (lambda data: data.map(lambda x, y: (x, x)), "y must be numbers; map names to numbers"),
    ],
)
def test_wrong_datasets_are_refused(model, change, message):
    with pytest.raises(ValueError, match=message):
        change(_data(TEXTS, LABELS)).apply(_batches("packed", model.preprocessor))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": None}, "`batch_size` or `batch_tokens` must be a number"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"preprocessor": "bert"}, "`preprocessor` must be a layer that .* Received: 'bert'"),
        (
            {"preprocessor": ftkeras.text.from_pretrained(ENCODER, reads="words")},
            "`preprocessor` must be made with reads='texts'.* Received: reads='words'",
        ),
    ],
)
def test_wrong_arguments_are_refused(model, arguments, message):
    given = {"preprocessor": model.preprocessor} | arguments
    with pytest.raises(ValueError, match=message):
        ftkeras.bucketed_batches(**given)
