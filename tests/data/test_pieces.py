"""Answers of words for all their tokens, whichever tokens and windows are read."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data.pieces import spread
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.head_tail import HeadTail
from ftkeras.text.truncations.windows import Windows
from ftkeras.text.wordpiece import WordPiece

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##b"]
TEXT = "a abb ab abbb"
PIECES = [0, 2, 2, 2, 6, 6, 9, 9, 9, 9]  # where the word of each piece starts


def _learned(truncation, *, every_piece: bool = True) -> list[int]:
    """Return where the word starts whose answer each token learns, -1 if it learns none."""
    layer = TextLayer(
        tokenizer=WordPiece(vocabulary=VOCABULARY),
        truncation=truncation,
        max_length=7,
        words=True,
        every_piece=every_piece,
    )
    starts = layer(tf.constant([TEXT]))["word_starts"].flat_values.numpy()
    return spread(starts[starts >= 0], starts, np.zeros_like(starts)).tolist()


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [
        (Head(), [-1, 0, 2, 2, 2, 6, -1]),
        (HeadTail(head=2), [-1, 0, 2, -1, -1, -1, -1]),  # the first piece of the last word is cut
    ],
)
def test_pieces_learn_the_answer_of_their_word_if_its_first_piece_is_read(truncation, expected):
    assert _learned(truncation) == expected


def test_only_first_pieces_learn_by_default():
    assert _learned(Head(), every_piece=False) == [-1, 0, 2, -1, -1, 6, -1]


def test_each_piece_learns_in_one_window():
    learned = _learned(Windows(overlap=2))
    assert len(learned) > len(PIECES) + 4
    assert [start for start in learned if start >= 0] == PIECES


def test_texts_without_words():
    assert spread(np.zeros(0, int), np.full(3, -1), np.zeros(3, int)).tolist() == [-1, -1, -1]
