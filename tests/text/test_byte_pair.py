"""Byte-level BPE gives the reference's ids and offsets on every string."""

import functools
import json
import random
from unittest import mock

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from ftkeras.exporters import _ops
from ftkeras.text import _byte_level_words, _merges
from ftkeras.text.byte_pair import BytePair, byte_letters
from ftkeras.text.layer import TextLayer
from ftkeras.text.offsets import to_characters
from ftkeras.text.truncations.head import Head
from tests.matrix import examples, matrix
from tests.text.byte_pair_reference import SPECIALS, reference, small_vocabulary

CHARACTERS = st.one_of(
    st.sampled_from("'strevemlld a1 \n\t\u3000!.é日🙂१½"),
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("\0\t\n\v\f\r\x1c\x85\xa0\xad\u1680\u200b\u2028\u3000\ufeff\ufffd "),
)
AWKWARD = [
    *("", " ", "  ", "a  b", "  a", "a  ", "\n\n x", "\t\tx", "x \u3000 y", "\xa0\xa0a", "a\0b"),
    *("'", "'s", "''s", "!'s", " 's", "\n's", "1's", "a'll'll", "don't I'LL we've", "'re've'm'd't"),
    *("</s> <mask>", "½ ²³ Ⅷ", "é" * 50, "ab" * 300, "x" * 1000, "Ünïcödé 日本語 🙂 १६ ٣"),
    *("\ufffd", "\u2028a", "\r\n\r\nz", "a\x1c\x1db", "\ufeffa"),
]


@functools.cache
def both(add_prefix_space=False):
    """Return our tokenizer and the reference."""
    vocabulary, merges = small_vocabulary()
    ours = BytePair(vocabulary=vocabulary, merges=merges, add_prefix_space=add_prefix_space)
    return ours, reference(vocabulary, merges, add_prefix_space)


@functools.cache
def in_graph(add_prefix_space):
    """Return ids with their offsets in characters, of a batch, as one graph."""
    ours = both(add_prefix_space)[0]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def compute(texts):
        ids, starts, ends = ours.with_offsets(texts)
        return ids, to_characters(texts, starts), to_characters(texts, ends)

    return compute


def assert_same(texts, raw=None, add_prefix_space=False):
    """Compare ids and offsets of texts; `raw` are the bytes that they are decoded from."""
    theirs = both(add_prefix_space)[1]
    raw = tf.constant([text.encode() for text in texts] if raw is None else raw)
    want = theirs.encode_batch(texts, add_special_tokens=False)
    ids, starts, ends = (part.to_list() for part in in_graph(add_prefix_space)(raw))
    assert ids == [encoded.ids for encoded in want]
    found = [list(zip(*both, strict=True)) for both in zip(starts, ends, strict=True)]
    assert found == [encoded.offsets for encoded in want]


@pytest.mark.parametrize("add_prefix_space", matrix([False, True], default=[False]))
def test_ids_and_offsets_of_any_strings_equal_the_reference(add_prefix_space):
    assert_same(AWKWARD, add_prefix_space=add_prefix_space)
    ours, theirs = both(add_prefix_space)
    alone = [encoded.ids for encoded in theirs.encode_batch(AWKWARD, add_special_tokens=False)]
    assert ours([text.encode() for text in AWKWARD]).to_list() == alone  # without offsets

    @examples(40)
    @given(st.lists(st.text(CHARACTERS, max_size=40), min_size=1, max_size=20))
    def check(texts):
        assert_same(texts, add_prefix_space=add_prefix_space)

    check()


def test_invalid_bytes_are_decoded_as_python_does():
    @examples(20)
    @given(st.lists(st.binary(max_size=12), min_size=1, max_size=20))
    def check(texts):
        assert_same([text.decode("utf-8", "replace") for text in texts], texts)

    check()


@pytest.mark.parametrize("step", matrix([31, 1], default=[31]))
def test_every_code_point_is_split_as_the_reference_does(step):
    points = [p for p in range(0x110000) if not 0xD800 <= p <= 0xDFFF]
    # By default every 31st, and all below U+3100 and near the planes' bounds.
    points = [p for p in points if p < 0x3100 or p % step == 0 or (p + 0x80) % 0x10000 < 0x100]
    texts = ["".join(f"a{chr(p)}1{chr(p)}!{chr(p)} {chr(p)}" for p in points[i : i + 512])
             for i in range(0, len(points), 512)]  # fmt: skip
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    byte = {letter: number for number, letter in enumerate(byte_letters())}
    found = _byte_level_words.split(tf.strings.unicode_decode(texts, "UTF-8")).to_list()
    for text, words in zip(texts, found, strict=True):
        assert words == [bytes(map(byte.__getitem__, word)) for word, _ in split(text)]


@pytest.mark.parametrize("length", matrix([1_000, 100_000], default=[1_000]))
def test_word_without_end_equals_the_reference(length):
    source = random.Random(1)
    word = "".join(source.choices("etaoinshrdlu", k=length))
    assert_same([word, "a short one", word[: length // 2] * 2])


@settings(max_examples=60)
@given(
    letters=st.sampled_from(["ab", "aeht", "the", "abcdefghijklmnopqrstuvwxyz", "日本語éд"]),
    lengths=st.lists(st.integers(30, 400), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
)
def test_long_words_equal_the_reference(letters, lengths, seed):
    chosen = random.Random(seed)
    assert_same([" ".join("".join(chosen.choices(letters, k=length)) for length in lengths)])


def test_long_word_takes_fewer_rounds_than_it_has_merges(monkeypatch):
    ours, theirs = both()
    text = "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz", k=20_000))
    rounds = mock.Mock(side_effect=_merges._without_overlaps)
    monkeypatch.setattr(_merges, "_without_overlaps", rounds)
    ids = ours([text]).to_list()[0]
    assert ids == theirs.encode(text, add_special_tokens=False).ids
    assert rounds.call_count < len({each for each in ids if len(ours.vocabulary[each]) > 1}) / 2


def test_empty_batch_has_no_ids():
    ours, none = both()[0], tf.zeros([0], tf.string)
    for part in (ours(none), *ours.with_offsets(none)):
        assert part.to_list() == []


@pytest.mark.parametrize("max_length", matrix([6, 7, 8, 13, 64], default=[8]))
def test_framed_texts_and_pairs_equal_the_reference(max_length):
    ours, theirs = both()
    theirs = reference(*small_vocabulary())
    theirs.enable_truncation(max_length, strategy="longest_first")
    layer = TextLayer(tokenizer=ours, truncation=Head(), max_length=max_length)
    texts = ["", "a movie", "the plot was a mess, and the cast " * 3, "don't"]
    assert layer(texts)["token_ids"].to_list() == [e.ids for e in theirs.encode_batch(texts)]
    pairs = [(first, second) for first in texts for second in texts]
    found = layer(*map(list, zip(*pairs, strict=True)))
    assert list(found) == ["token_ids"]
    assert found["token_ids"].to_list() == [e.ids for e in theirs.encode_batch(pairs)]
    with pytest.raises(ValueError, match="at least 6 for pairs: 4 special"):
        TextLayer(tokenizer=ours, truncation=Head(), max_length=5)(["a"], ["b"])


def test_graph_holds_only_ops_that_servers_link():
    graph = in_graph(False).get_concrete_function().graph.as_graph_def()
    functions = graph.library.function
    ops = {node.op for part in (graph.node, *(f.node_def for f in functions)) for node in part}
    assert _ops.unknown(ops - {function.signature.name for function in functions}) == []


@pytest.mark.process
def test_an_exported_tokenizer_gives_the_same_with_ops_that_servers_link(tmp_path):
    ours = both(add_prefix_space=True)[0]

    class Served(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def __call__(self, texts):
            ids, starts, ends = ours.with_offsets(texts)
            same = tf.reduce_all(ours(texts).flat_values == ids.flat_values)
            return {"ids": ids.to_tensor(-1), "starts": starts.to_tensor(-1),
                    "ends": ends.to_tensor(-1), "same": same}  # fmt: skip

    module = Served()
    module.tokenizer = ours
    tf.saved_model.save(module, str(tmp_path))
    assert _ops.unknown(_ops.used(tmp_path)) == []
    loaded = tf.saved_model.load(str(tmp_path))
    for texts in (AWKWARD, [""], ["x"]):
        for name, value in loaded(tf.constant(texts)).items():
            assert value.numpy().tolist() == module(tf.constant(texts))[name].numpy().tolist()


def test_identity_depends_on_merges_and_prefix():
    vocabulary, merges = small_vocabulary()
    found = {
        json.dumps(
            BytePair(vocabulary=vocabulary, merges=merges[:n], add_prefix_space=p).identity()
        )
        for n in (5, 6)
        for p in (False, True)
    }
    assert len(found) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary": ["<s>", "<pad>", "</s>"]}, "without <unk>, Ā, ā, Ă"),
        ({"vocabulary": [*SPECIALS, *byte_letters(), "a"]}, "'a' twice"),
        ({"merges": [("h", "j")]}, "`merges` must consist of tokens.* 'hj'"),
        ({"merges": [("Ġ", "hi"), ("h", "i")]}, "`merges` must come after.* 'hi' at 0"),
    ],
)
def test_invalid_vocabulary_is_refused(changes, message):
    arguments = {
        "vocabulary": [*SPECIALS, *byte_letters(), "hi", "Ġhi"],
        "merges": [("h", "i"), ("Ġ", "hi")],
    }
    with pytest.raises(ValueError, match=message):
        BytePair(**{**arguments, **changes})


@pytest.mark.real_data
def test_reviews_with_a_published_vocabulary_equal_the_reference(shared_data):
    folder = shared_data / "vocab" / "gpt2"
    ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")[1:]
    merges = [tuple(line.split(" ")) for line in lines if line]
    vocabulary = [*sorted(ids, key=ids.get), *SPECIALS]
    ours, theirs = BytePair(vocabulary=vocabulary, merges=merges), reference(vocabulary, merges)
    data = tfds.load("imdb_reviews", split="test", data_dir=shared_data / "tfds", download=False)
    for batch in data.take(2000).batch(500):
        texts = [text.decode() for text in batch["text"].numpy()]
        want = theirs.encode_batch(texts, add_special_tokens=False)
        assert ours(batch["text"]).to_list() == [encoded.ids for encoded in want]
