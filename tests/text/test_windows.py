"""Texts that are cut into windows: which pieces and words are in which window."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.windows import Windows
from ftkeras.text.wordpiece import WordPiece
from tests.matrix import examples

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", "##a", "##b", "."]
LENGTHS = st.lists(st.integers(0, 40), max_size=4)


def _cut(overlap, lengths, room):
    return Windows(overlap=overlap).cut(tf.constant(lengths, tf.int64), room)


@examples(100)
@given(LENGTHS, st.integers(1, 12), st.integers(0, 15))
def test_windows_hold_every_piece_and_overlap_as_said(lengths, room, overlap):
    cut = _cut(overlap, lengths, room)
    shared = min(overlap, room // 2)
    assert cut.counts.shape == (len(lengths),)
    windows = list(zip(*(part.numpy().tolist() for part in cut[:3]), strict=True))
    owned = cut.has_most_context().to_list()
    for text, length in enumerate(lengths):
        own = [(first, end) for number, first, end in windows if number == text]
        assert len(own) == cut.counts[text]
        assert own[0][0] == 0
        assert own[-1][1] == length
        for (_, end), (first, _) in itertools.pairwise(own):
            assert end - first == shared
        assert all(end - first == room for first, end in own[:-1])
        # One window has each piece: the one in which it is farthest from a cut.
        flags = [
            flags for (number, *_), flags in zip(windows, owned, strict=True) if number == text
        ]
        for piece in range(length):
            has = [
                (_distance(piece, first, end, length), -number, flags[number][piece - first])
                for number, (first, end) in enumerate(own)
                if first <= piece < end
            ]
            assert [flag for *_, flag in sorted(has, reverse=True)] == [True] + [False] * (
                len(has) - 1
            )


def _distance(piece, first, end, length):
    """Return how far a piece is from the nearest cut; the ends of the text are none."""
    before = piece - first if first else length
    return min(before, end - 1 - piece if end < length else length)


@examples(60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_outputs_of_a_text_are_the_mean_or_maximum_of_its_windows(counts, seed):
    logits = np.random.default_rng(seed).normal(size=(sum(counts), 3)).astype(np.float32)
    parts = np.split(logits, np.cumsum(counts)[:-1])
    for how, expected in (("mean", np.mean), ("max", np.max)):
        found = Windows(combine=how).combine_outputs(logits, counts).numpy()
        wanted = np.stack([expected(part, axis=0) for part in parts])
        assert found == pytest.approx(wanted, abs=1e-6)
        for part, row, count in zip(parts, found, counts, strict=True):
            assert count > 1 or row.tobytes() == part[0].tobytes()


def _layer(max_length, truncation, **kwargs):
    wordpiece = WordPiece(vocabulary=VOCABULARY)
    return TextLayer(tokenizer=wordpiece, truncation=truncation, max_length=max_length, **kwargs)


def _texts(*lengths):
    return tf.constant([" ".join("abcdefghij"[n % 10] for n in range(size)) for size in lengths])


def test_rows_of_texts_that_fit_are_those_without_windows():
    texts, pairs = _texts(6, 0, 2), _texts(1, 3, 0)
    for inputs in ((texts,), (texts, pairs)):
        cut, whole = (_layer(12, part)(*inputs) for part in (Windows(overlap=2), Head()))
        assert cut.pop("window_counts").numpy().tolist() == [1, 1, 1]
        assert cut.pop("first_pieces").numpy().tolist() == [0, 0, 0]
        assert {n: ids.to_list() for n, ids in cut.items()} == {
            n: ids.to_list() for n, ids in whole.items()
        }


def test_the_second_text_of_a_pair_is_cut():
    # 9 tokens: 3 special ones, and 6 pieces.
    found = _layer(9, Windows(overlap=1))(_texts(2, 9, 9, 9), _texts(9, 2, 8, 0))
    assert found["window_counts"].numpy().tolist() == [3, 1, 4, 1]
    rows = found["token_ids"].to_list()
    a, b, c, d = (VOCABULARY.index(letter) for letter in "abcd")
    assert [row[1:3] for row in rows[:3]] == [[a, b]] * 3
    # As without windows: the shorter text keeps its pieces, or both get half of the room.
    assert rows[3][1:5] == [a, b, c, d]
    assert [row[1:4] for row in rows[4:8]] == [[a, b, c]] * 4
    assert len(rows[8]) == 9


def test_each_word_is_in_one_window():
    layer = _layer(6, Windows(overlap=2), words=True)
    found = layer(_texts(7, 2))
    # 4 pieces: 0 to 3, 2 to 5, 4 to 6; of two that are shared, each window has one.
    assert found["window_counts"].numpy().tolist() == [3, 1]
    starts = found["word_starts"].to_list()
    assert starts[:3] == [[-1, 0, 2, 4, -1, -1], [-1, -1, 6, 8, -1, -1], [-1, -1, 10, 12, -1]]
    assert starts[3] == [-1, 0, 2, -1]
    assert found["first_pieces"].numpy().tolist() == [0, 2, 4, 0]


@pytest.mark.parametrize("combine", ["sum", ["mean"]])
def test_a_wrong_way_to_combine_is_refused(combine):
    with pytest.raises(ValueError, match="`combine` must be one of mean, max. Received"):
        Windows(combine=combine)
