"""Words are found in the raw text, whichever tokenizer reads it."""

import random
import unicodedata

import pytest
import tensorflow as tf

from ftkeras.text import _characters
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.head_tail import HeadTail
from ftkeras.text.wordpiece import WordPiece
from ftkeras.text.words import find_words, split, word_spans

CHARACTERS = "aB9é ß  \t\n.,-'’“”()$€#日本ไ\u0301\u00a0\u2003🙂\x00\u200b"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "##b", "9", "##9", ".", ",", "-", "日"]


def _members(ranges: str) -> set[int]:
    ends = ([int(end, 16) for end in part.split("-")] for part in ranges.split())
    return {code for first, *last in ends for code in range(first, (last or [first])[0] + 1)}


SPACES = _members(_characters.SPACES)
ALONE = _members(_characters.PUNCTUATION + _characters.CHINESE)


def _words(text: str) -> list[tuple[int, int]]:
    """Return the words of a text, in characters: the definition, character by character."""
    found, inside = [], False
    for at, character in enumerate(text):
        if ord(character) in SPACES:
            inside = False
        elif ord(character) in ALONE:
            found.append((at, at + 1))
            inside = False
        elif inside:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
            inside = True
    return found


def _texts(count: int) -> list[str]:
    rng = random.Random(4)
    return ["".join(rng.choices(CHARACTERS, k=rng.randrange(12))) for _ in range(count)]


def test_words_are_those_of_the_definition():
    texts = _texts(300)
    starts, ends = find_words(tf.constant(texts))
    for text, first, last in zip(texts, starts.to_list(), ends.to_list(), strict=True):
        expected = [tuple(len(text[:at].encode()) for at in word) for word in _words(text)]
        assert list(zip(first, last, strict=True)) == expected, ascii(text)


def test_each_word_that_the_tokenizer_reads_has_one_first_token():
    texts = _texts(300)
    tokenizer = WordPiece(vocabulary=VOCABULARY)
    _, starts, ends = tokenizer.with_offsets(tf.constant(texts))
    found = [part.to_list() for part in word_spans(tf.constant(texts), starts, ends)]
    for text, firsts, lasts in zip(texts, *found, strict=True):
        spans = [pair for pair in zip(firsts, lasts, strict=True) if pair != (-1, -1)]
        # The tokenizer removes these, so a word of nothing else has no token.
        read = [w for w in _words(text) if any(_is_read(c) for c in text[slice(*w)])]
        assert spans == read, ascii(text)


def _is_read(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Mn")


def test_token_of_several_words_is_the_first_of_one_of_them():
    texts = tf.constant(["a ...b"])
    starts, ends = (tf.ragged.constant([part]) for part in ([0, 1, 4], [1, 4, 6]))
    found = [part.to_list() for part in word_spans(texts, starts, ends)]
    assert found == [[[0, 2, 4]], [[1, 3, 5]]]


def test_spaces_alone_are_no_part_of_a_word():
    texts = tf.constant(["a  b", ""])
    starts, ends = (tf.ragged.constant(part) for part in ([[0, 1, 2], []], [[1, 2, 4], []]))
    found = [part.to_list() for part in word_spans(texts, starts, ends)]
    assert found == [[[0, -1, 3], []], [[1, -1, 4], []]]


def test_text_layer_returns_the_words_of_the_tokens_that_are_left():
    layer = TextLayer(
        tokenizer=WordPiece(vocabulary=VOCABULARY),
        truncation=HeadTail(head=2),
        max_length=5,
        words=True,
    )
    found = layer(tf.constant(["ab. é a9", "b", ""]))
    assert found["token_ids"].to_list() == [[2, 4, 6, 8, 3], [2, 5, 3], [2, 3]]
    assert found["word_starts"].to_list() == [[-1, 0, -1, -1, -1], [-1, 0, -1], [-1, -1]]
    assert found["word_ends"].to_list() == [[-1, 2, -1, -1, -1], [-1, 1, -1], [-1, -1]]


def test_invalid_bytes_are_parts_of_words():
    starts, ends = find_words(tf.constant([b"\xff\xfea \xf0\x9f.b"]))
    assert [starts.to_list(), ends.to_list()] == [[[0, 4, 6, 7]], [[3, 6, 7, 8]]]


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_no_words(texts):
    starts, ends = find_words(tf.constant(texts, tf.string))
    nothing = [[] for _ in texts]
    assert [starts.to_list(), ends.to_list()] == [nothing, nothing]


def test_tokens_that_continue_a_word_name_it_if_every_piece_is_asked_for():
    layer = TextLayer(
        tokenizer=WordPiece(vocabulary=VOCABULARY),
        truncation=HeadTail(head=2),
        max_length=6,
        words=True,
        every_piece=True,
    )
    found = layer(tf.constant(["b bb", "ab. é a9"]))
    assert found["token_ids"].to_list() == [[2, 5, 5, 6, 3], [2, 4, 6, 4, 8, 3]]
    assert found["word_starts"].to_list() == [[-1, 0, 2, -4, -1], [-1, 0, -2, 6, -8, -1]]
    assert found["word_ends"].to_list() == [[-1, 1, 4, -6, -1], [-1, 2, -4, 8, -10, -1]]


def test_words_between_spaces_are_the_same_in_python_and_in_the_graph():
    texts = _texts(300)
    starts, ends = find_words(tf.constant(texts), spaced=True)
    for text, first, last in zip(texts, starts.to_list(), ends.to_list(), strict=True):
        blank = "".join(" " if ord(character) in SPACES else character for character in text)
        words = [word for word in blank.split(" ") if word]
        places = zip(first, last, strict=True)
        assert [text.encode()[a:b].decode() for a, b in places] == words, ascii(text)
        assert split(text) == words


def test_first_tokens_of_words_between_spaces_are_numbered():
    layer = TextLayer(
        tokenizer=WordPiece(vocabulary=VOCABULARY),
        truncation=Head(),
        max_length=9,
        words=True,
        spaced=True,
    )
    # A word that the tokenizer removes keeps its number.
    found = layer(tf.constant(["ab. é \u200b a9", "b", ""]))
    assert found["token_ids"].to_list() == [[2, 4, 6, 9, 1, 4, 8, 3], [2, 5, 3], [2, 3]]
    assert found["word_numbers"].to_list() == [[-1, 0, -1, -1, 1, 3, -1, -1], [-1, 0, -1], [-1, -1]]
