import random

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.exporters import _ops
from ftkeras.text.offsets import to_characters
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.head_tail import HeadTail
from ftkeras.text.truncations.tail import Tail
from ftkeras.text.wordpiece import WordPiece
from tests.matrix import examples, matrix
from tests.text.mixtures import MARKS, mixtures
from tests.text.reference import reference, small_vocabulary

VOCABULARY = small_vocabulary()
SETTINGS = [
    {"lowercase": True, "strip_accents": True, "split_chinese": True},
    {"lowercase": True, "strip_accents": False, "split_chinese": True},
    {"lowercase": False, "strip_accents": True, "split_chinese": False},
]
CHARACTERS = st.one_of(
    st.sampled_from(sorted({c for token in VOCABULARY for c in token})),
    st.sampled_from(MARKS),
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from(
        "\0\t\n\v\f\r\x1c\x85\xa0\xad\u200b\u2028\u3000\ufeff\ufffd\ufffe 👩👩🏽‍🚀İΣé가"
    ),
)
BATCH = tf.TensorSpec([None], tf.string)


def _named(keys: dict) -> str:
    return "-".join(name for name, on in keys.items() if on)


@pytest.fixture(scope="module", params=matrix(SETTINGS, default=SETTINGS[:1]), ids=_named)
def both(request):
    """Return a graph from texts to ids and character offsets, and the reference."""
    wordpiece = WordPiece(vocabulary=VOCABULARY, **request.param)

    @tf.function(input_signature=[BATCH], autograph=False)
    def encode(texts):
        ids, starts, ends = wordpiece.with_offsets(texts)
        return ids, wordpiece(texts), to_characters(texts, starts), to_characters(texts, ends)

    return encode, reference(VOCABULARY, **request.param)


def _check(both, texts: list[str], encoded: list[bytes] | None = None) -> None:
    encode, tokenizer = both
    encoded = encoded or [text.encode() for text in texts]
    ids, same, starts, ends = encode(tf.constant(encoded, tf.string, [len(encoded)]))
    assert ids.to_list() == same.to_list()
    want = tokenizer.encode_batch(texts, add_special_tokens=False)
    rows = zip(texts, ids.to_list(), starts.to_list(), ends.to_list(), want, strict=True)
    for text, row, first, last, expected in rows:
        assert row == expected.ids, ascii(text)
        assert list(zip(first, last, strict=True)) == expected.offsets, ascii(text)


def test_offsets_of_any_strings_equal_the_reference(both):
    @examples(20)
    @given(st.lists(st.text(CHARACTERS, max_size=40), min_size=1, max_size=30))
    def check(texts):
        _check(both, texts)

    check()


def test_offsets_of_generated_texts_equal_the_reference(both):
    _check(both, list(mixtures(VOCABULARY, 2000, random.Random(3))))


def test_offsets_among_reordered_marks_equal_the_reference(both):
    source = random.Random(4)
    _check(both, ["".join(source.choices([*MARKS, *"a中 é"], k=12)) for _ in range(3000)])


def test_offsets_around_code_points_equal_the_reference(both):
    points = [*range(0x3400), *range(0xAC00, 0xAD00), *range(0xF900, 0x11200)]
    texts = [
        "".join(f"a{chr(p)}b " for p in points[i : i + 256]) for i in range(0, len(points), 256)
    ]
    _check(both, texts)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "\0",
            "a\0b",
            "İ",
            "İİ un",
            "ΣΊΣΥΦΟΣ",
            "é",
            "e\u0301",
            "가각",
            "中文a字",
            "☃😀🏽",
        ),
        *("x" * 101 + " a", " " + "é" * 101, "㍿" * 100, "\u0301", "a\u0301\u302e"),
    ],
    ids=lambda text: ascii(text)[:16],
)
def test_offsets_of_awkward_text_equal_the_reference(both, text):
    _check(both, [text, "a", text])


def test_offsets_of_invalid_bytes_are_those_of_the_decoded_text(both):
    @examples(60)
    @given(st.lists(st.binary(max_size=12), min_size=1, max_size=20), st.randoms())
    def check(parts, source):
        valid = ["é", "a ", "un", "☃", "𠀀", "\ud800", "a\u0301"]
        texts = [p + source.choice(valid).encode("utf-8", "surrogatepass") + p for p in parts]
        _check(both, [text.decode("utf-8", "replace") for text in texts], texts)

    check()


def test_byte_offsets_point_to_the_source_of_each_piece():
    wordpiece = WordPiece(vocabulary=VOCABULARY)
    text = "Ünaffable 😀 \u202aRUNNING\u0301! 中文 x".encode()
    ids, starts, ends = wordpiece.with_offsets([text])
    found = [text[i:j].decode() for i, j in zip(starts[0].numpy(), ends[0].numpy(), strict=True)]
    assert found == ["Ün", "aff", "able", "😀", "RUNN", "ING", "!", "中", "文", "x"]
    assert VOCABULARY[ids[0, 1]] == "##aff"


@pytest.mark.parametrize("cut", [Head(), Tail(), HeadTail(head=2)], ids=["head", "tail", "both"])
def test_offsets_survive_truncation(cut):
    wordpiece = WordPiece(vocabulary=VOCABULARY)
    ids, starts, ends = (cut(part, 3) for part in wordpiece.with_offsets(["é b c o s", "u"]))
    by_letter = {VOCABULARY.index(letter): letter for letter in "ebcosu"}
    text = "é b c o s".encode()
    for piece, i, j in zip(ids[0], starts[0], ends[0], strict=True):
        assert text[int(i) : int(j)].decode() == by_letter[int(piece)].replace("e", "é")
    assert (starts[1].numpy(), ends[1].numpy()) == ([0], [1])


@pytest.mark.matrix
def test_an_exported_tokenizer_gives_offsets_with_ops_that_servers_link(tmp_path):
    wordpiece = WordPiece(vocabulary=VOCABULARY)

    class Served(tf.Module):
        @tf.function(input_signature=[BATCH], autograph=False)
        def __call__(self, texts):
            ids, starts, ends = wordpiece.with_offsets(texts)
            starts, ends = to_characters(texts, starts), to_characters(texts, ends)
            return {"ids": ids.to_tensor(), "starts": starts.to_tensor(), "ends": ends.to_tensor()}

    module = Served()
    module.wordpiece = wordpiece
    tf.saved_model.save(module, str(tmp_path))
    assert _ops.unknown(_ops.used(tmp_path)) == []
    texts = tf.constant(["Ünaffable 😀", "", "中文"])
    loaded = tf.saved_model.load(str(tmp_path))
    for name, value in loaded(texts).items():
        assert value.numpy().tolist() == module(texts)[name].numpy().tolist()


def test_empty_batch_has_no_offsets():
    ids, starts, ends = WordPiece(vocabulary=VOCABULARY).with_offsets(tf.zeros([0], tf.string))
    assert ids.to_list() == starts.to_list() == ends.to_list() == []
    assert to_characters(tf.zeros([0], tf.string), starts).to_list() == []
