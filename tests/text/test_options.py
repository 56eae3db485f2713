"""Questions with options as token ids."""

import pytest
import tensorflow as tf

from ftkeras.text import options
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.head import Head
from ftkeras.text.wordpiece import WordPiece

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "i", "you", "we", "they", "?")


@pytest.fixture(scope="module")
def layer():
    tokenizer = WordPiece(vocabulary=WORDS, lowercase=True)
    return TextLayer(tokenizer=tokenizer, truncation=Head(), max_length=7, options=3)


def test_each_question_has_a_row_for_each_option(layer):
    texts = tf.constant(["who ?", "Who"])
    found = layer(texts, tf.constant(["I\nyou\nwe you they we", "i\tthey"]))
    ids = found["token_ids"].to_list()
    question, end = [2, 5, 10, 3], 3
    assert ids[:2] == [[*question, 6, end], [*question, 7, end]]
    assert ids[2] == [2, 5, 10, 3, 8, 7, end]  # cut to seven tokens
    assert ids[3:] == [[2, 5, 3, 6, 3], [2, 5, 3, 9, 3], []]
    assert found["segment_ids"].to_list()[3:] == [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1], []]


def test_pairs_have_the_same_ids(layer):
    pairs = TextLayer(tokenizer=layer.tokenizer, truncation=Head(), max_length=7)
    expected = pairs(tf.constant(["who ?"] * 2), tf.constant(["i", "you we they"]))
    found = layer(tf.constant(["who ?"]), tf.constant(["i\nyou we they"]))
    for name, value in expected.items():
        assert found[name].to_list() == [*value.to_list(), []]


def test_question_without_options_has_one_that_is_empty(layer):
    found = layer(tf.constant(["who"]), tf.constant([" \n "]))
    assert found["token_ids"].to_list() == [[2, 5, 3, 3], [], []]


def test_more_options_than_the_model_has_rows_for_are_refused():
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="`pairs`.*more options than 2.*`options`"
    ):
        options.split(tf.constant(["a\nb\nc"]), 2)
