"""The Keras layer that turns texts into an encoder's input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras import text
from ftkeras.text.preprocessor import Preprocessor
from ftkeras.text.truncations.head_tail import HeadTail
from ftkeras.text.truncations.tail import Tail
from ftkeras.text.truncations.windows import Windows
from tests.finished import ENCODER

TEXTS = ["The film was charming.", "Dull.", ""]


@pytest.fixture(scope="module")
def preprocessor() -> Preprocessor:
    return text.from_pretrained(ENCODER, max_length=16)


@pytest.mark.parametrize(
    "kind",
    [tuple, np.array, tf.constant, lambda texts: np.array(texts, object)[:, None]],
    ids=["tuple", "array", "tensor", "column"],
)
def test_every_kind_of_strings_gives_the_same_ids(preprocessor, kind):
    expected = preprocessor(TEXTS)
    found = preprocessor(kind(TEXTS))
    for name in ("token_ids", "padding_mask"):
        np.testing.assert_array_equal(found[name], expected[name])
    assert expected["padding_mask"].numpy().sum(axis=1).tolist() == [7, 4, 2]
    assert expected["token_ids"].shape == (3, 7)
    assert not expected["token_ids"].numpy()[~expected["padding_mask"].numpy()].any()


def test_pairs_have_segment_ids_and_a_fixed_length():
    preprocessor = text.from_pretrained(ENCODER, 12, fixed_length=True)
    found = preprocessor(["Dull.", "The film"], ["Not so dull.", "The plot"])
    assert {name: tuple(part.shape) for name, part in found.items()} == dict.fromkeys(
        ("token_ids", "padding_mask", "segment_ids"), (2, 12)
    )
    is_second = found["segment_ids"].numpy().astype(bool)
    assert (is_second <= found["padding_mask"].numpy()).all()
    assert is_second.any(axis=1).all()


@pytest.mark.parametrize("pairs", [False, True])
def test_symbolic_output_is_that_of_a_call(preprocessor, pairs):
    inputs = [keras.Input((), dtype="string") for _ in range(1 + pairs)]
    symbolic, found = preprocessor(*inputs), preprocessor(*[TEXTS] * len(inputs))
    assert {name: spec.dtype for name, spec in symbolic.items()} == {
        name: part.dtype.name for name, part in found.items()
    }
    assert {spec.shape for spec in symbolic.values()} == {(None, None)}


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ({"reads": "words"}, 2),
        ({"reads": "each_text"}, 4),
        ({"reads": "contexts"}, 2),
        ({"reads": "options", "options": 3}, 6),
    ],
    ids=["words", "each_text", "contexts", "options"],
)
def test_layer_reads_what_it_is_made_for(tmp_path, arguments, rows):
    layer = text.from_pretrained(ENCODER, max_length=16, **arguments)
    columns = [["The film", "Dull."], ["the plot\nthe cast", "a film"]]
    columns = columns[: 1 if arguments["reads"] == "words" else 2]
    found = layer(*columns)
    symbolic = layer(*[keras.Input((), dtype="string") for _ in columns])
    assert {name: (spec.dtype, len(spec.shape)) for name, spec in symbolic.items()} == {
        name: (part.dtype.name, len(part.shape)) for name, part in found.items()
    }
    assert found["token_ids"].shape[0] == rows
    is_token = found["padding_mask"].numpy()
    assert not found["token_ids"].numpy()[~is_token].any()
    words = found.get("word_numbers", found.get("word_starts"))
    assert words is None or (words.numpy()[~is_token] == -1).all()
    layer.save_assets(tmp_path)
    again = Preprocessor.from_config(layer.get_config())
    again.load_assets(tmp_path)
    for name, part in again(*columns).items():
        np.testing.assert_array_equal(part, found[name])


def test_wrong_use_of_what_is_read_is_named():
    with pytest.raises(ValueError, match="`reads` must be one of texts, words, "):
        text.Preprocessor(reads="lines")
    with pytest.raises(ValueError, match="`options` must be None with reads='texts'. Received: 2"):
        text.Preprocessor(options=2)
    with pytest.raises(ValueError, match="`options` must be an integer of at least 2.*None"):
        text.Preprocessor(reads="options")
    for reads, columns in (("words", [["a"], ["b"]]), ("contexts", [["a"]])):
        with pytest.raises(ValueError, match=f"^`pairs` must be .* reads {reads}"):
            text.from_pretrained(ENCODER, 16, reads=reads)(*columns)


def test_dataset_is_mapped(preprocessor):
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS).batch(2).map(preprocessor)
    assert [batch["token_ids"].shape[1] for batch in dataset] == [7, 2]


@pytest.mark.parametrize(
    "truncation",
    [*(Windows(overlap=2), "head", Tail), {"class_name": "X", "config": {}}, {"head": 3}],
)
def test_other_truncations_are_refused(truncation):
    with pytest.raises(ValueError, match=r"must be Head\(\), Tail\(\) or HeadTail\(\)"):
        text.Preprocessor(truncation=truncation)


def test_rows_of_several_strings_are_refused(preprocessor):
    rows = [["The film", "the plot"]] * 2
    with pytest.raises(ValueError, match=r"`texts` must be .*as `pairs`.*shape \(2, 2\)"):
        preprocessor(rows)
    with pytest.raises(ValueError, match=r"`pairs` must be .*shape \(None, 2\)"):
        preprocessor(keras.Input((), dtype="string"), keras.Input((2,), dtype="string"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1, 2],), r"`texts` must be strings. Received: \[1, 2\]"),
        ((["a", None],), r"`texts` must be strings. Received: \['a', None\]"),
        ((None,), "`texts` must be strings .*None"),
        ((["a"], [2.5]), "`pairs` must be strings.*2.5"),
        ((tf.constant([1]),), "`texts` must be strings. Received: a tensor of int32"),
    ],
)
def test_what_is_no_text_is_named(preprocessor, columns, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        preprocessor(*columns)


def test_texts_without_a_pair_are_refused(preprocessor):
    with pytest.raises(ValueError, match="^`pairs` must have a second.* 3 texts and 2 pairs"):
        preprocessor(TEXTS, TEXTS[:2])


@pytest.mark.parametrize("truncation", [Tail(), HeadTail(head=2)], ids=["tail", "head_tail"])
def test_configuration_and_assets_make_the_same_layer(tmp_path, truncation):
    layer = text.from_pretrained(ENCODER, max_length=5, truncation=truncation)
    layer.save_assets(tmp_path)
    again = Preprocessor.from_config(layer.get_config())
    again.load_assets(tmp_path)
    assert again.get_config() == layer.get_config()
    ids = layer(TEXTS)["token_ids"]
    np.testing.assert_array_equal(again(TEXTS)["token_ids"], ids)
    assert (ids.numpy() != text.from_pretrained(ENCODER, 5)(TEXTS)["token_ids"].numpy()).any()


def test_layer_without_a_tokenizer_names_the_remedy():
    with pytest.raises(ValueError, match="has no tokenizer.*from_pretrained"):
        Preprocessor(8)(TEXTS)


@pytest.mark.parametrize("max_length", [0, 2, "8"])
def test_wrong_length_is_refused(max_length):
    with pytest.raises(ValueError, match="`max_length` must be an integer of at least"):
        text.from_pretrained(ENCODER, max_length)
