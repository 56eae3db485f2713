"""Rows of questions with their contexts, cut into windows."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.windows import Windows
from ftkeras.text.wordpiece import WordPiece

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", "##a", "##b", "."]
CLS, SEP = 2, 3


def _layer(max_length, truncation):
    wordpiece = WordPiece(vocabulary=VOCABULARY)
    return TextLayer(
        tokenizer=wordpiece, truncation=truncation, max_length=max_length, contexts=True
    )


def _ids(text):
    return [VOCABULARY.index(token) for token in text.split()]


def test_tokens_of_the_context_know_their_characters():
    found = _layer(9, Head())(tf.constant(["a b", "c"]), tf.constant(["é ab. d", "j"]))
    assert found["token_ids"].to_list()[1] == [CLS, *_ids("c"), SEP, *_ids("j"), SEP]
    assert found["segment_ids"].to_list()[1] == [0, 0, 0, 1, 1]
    assert found["word_starts"].to_list()[0] == [-1, -1, -1, -1, 0, 2, 3, 4, -1]
    assert found["word_ends"].to_list()[0] == [-1, -1, -1, -1, 1, 3, 4, 5, -1]
    assert found["window_counts"].numpy().tolist() == [1, 1]


@pytest.mark.parametrize("overlap", [0, 1, 3, 100])
def test_windows_are_those_of_plain_slicing(overlap):
    # Rows of 11 tokens: 3 special ones, then the question's, at most 4, and at least 4 pieces.
    questions, lengths = ["a", "a b c d e f", ""], [9, 4, 0, 5, 13, 8]
    texts = [" ".join("abcdefghij"[n % 10] for n in range(size)) for size in lengths]
    pairs = [(question, text) for question in questions for text in texts]
    layer = _layer(11, Windows(overlap=overlap))
    found = layer(*(tf.constant(part) for part in zip(*pairs, strict=True)))
    rows, starts, firsts, counts = [], [], [], []
    for question, text in pairs:
        asked, pieces = _ids(question)[:4], _ids(text)
        room, first, before = 8 - len(asked), 0, len(rows)
        while True:
            window = pieces[first : first + room]
            rows.append([CLS, *asked, SEP, *window, SEP])
            starts.append([-1] * (len(asked) + 2) + [2 * (first + n) for n in range(len(window))])
            starts[-1].append(-1)
            firsts.append(first)
            if first + room >= len(pieces):
                break
            first += room - min(overlap, room // 2)
        counts.append(len(rows) - before)
    assert found["token_ids"].to_list() == rows
    assert found["word_starts"].to_list() == starts
    assert found["first_pieces"].numpy().tolist() == firsts
    assert found["window_counts"].numpy().tolist() == counts


def test_spaces_around_a_token_are_no_part_of_it():
    from ftkeras.text.contexts import _trimmed

    texts = tf.constant(["a  é \n", "", " b"])
    tokens = [[0, 1, 2, 5], [], [0]], [[1, 2, 5, 7], [], [2]]
    starts, ends = (tf.ragged.constant(part, tf.int64) for part in tokens)
    starts, ends = _trimmed(texts, starts, ends)
    assert starts.to_list() == [[0, 2, 3, 6], [], [1]]
    assert ends.to_list() == [[1, 2, 4, 6], [], [2]]


def test_no_texts_have_no_rows():
    found = _layer(9, Windows())(tf.constant([], tf.string), tf.constant([], tf.string))
    assert found["token_ids"].to_list() == []
    assert found["window_counts"].numpy().tolist() == []


def test_overlap_is_checked():
    with pytest.raises(ValueError, match="`overlap` must be an integer of at least 0"):
        Windows(overlap=-1)
    assert Windows(overlap=np.int64(3).item()).get_config() == {"overlap": 3, "combine": "mean"}
