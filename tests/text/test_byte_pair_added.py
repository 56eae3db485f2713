"""Byte-level BPE with added tokens and NFC, as ModernBERT's tokenizer.json describes it."""

import functools
import json
import random
import unicodedata

import pytest
import tensorflow as tf
import tensorflow_text as tf_text
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken as TheirToken
from tokenizers import normalizers, processors

from ftkeras.errors import UserError
from ftkeras.exporters import _ops
from ftkeras.text import _text_parts
from ftkeras.text._added_tokens import AddedToken
from ftkeras.text.byte_pair import BytePair, byte_letters
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.layer import TextLayer
from ftkeras.text.offsets import to_characters
from ftkeras.text.truncations.head import Head
from tests.matrix import matrix
from tests.text.byte_pair_reference import (
    ADDED,
    MODERN_SPECIALS,
    letters_of_texts,
    modern_settings,
    reference,
    small_vocabulary,
)

STRINGS = st.lists(
    st.text(
        st.one_of(
            st.sampled_from("ab \n'se\u0301\u0338\u0323é½\0\x01>"),
            st.characters(exclude_categories=["Cs", "Mn"]),
        )
    )
    | st.sampled_from([*ADDED, *MODERN_SPECIALS, "   ", "\u0301"]),
    max_size=8,
).map("".join)
AWKWARD = [
    *("", "  ", "a  b", "a   b", "      x", " " * 50 + "a", "a" + " " * 9, " \n  \n"),
    *("|||IP|||", "x|||IP||| y", "[CLS] [MASK]", "[unused0][unused0]", "don't  'll  's"),
    *("<|end|>>", "a<|end|>\u0338b", "e\u0301  e\u0323\u0301", "a\0  b\0", "\0", "\x01  \x01"),
    *("각", "\u0958", "  \u0301", "\u1e9b\u0323"),
]  # fmt: skip


@functools.cache
def ours():
    return BytePair(**modern_settings())


@functools.cache
def theirs(specials=False):
    """Return the reference; special tokens are text to it, as they are to ours."""
    vocabulary, merges = small_vocabulary(all_bytes=False)
    tokenizer = reference(vocabulary, merges)
    tokenizer.normalizer = normalizers.NFC()
    for content in ADDED:
        raw = content.startswith("<|")
        tokenizer.add_tokens([TheirToken(content, normalized=not raw)])
    if specials:
        tokenizer.add_special_tokens(MODERN_SPECIALS)
        ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ids
        )
    else:
        tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=True)
    return tokenizer


@functools.cache
def in_graph():
    ours()  # built outside the graph

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def compute(texts):
        ids, starts, ends = ours().with_offsets(texts)
        return ids, to_characters(texts, starts), to_characters(texts, ends)

    return compute


def assert_same(texts):
    want = theirs().encode_batch(texts)
    found = in_graph()(tf.constant([text.encode() for text in texts]))
    ids, starts, ends = (part.to_list() for part in found)
    assert ids == [encoded.ids for encoded in want]
    for text, encoded, *offsets in zip(texts, want, starts, ends, strict=True):
        found = list(zip(*offsets, strict=True))
        if normalizers.NFC().normalize_str(text) == text:
            assert found == encoded.offsets
        # A composed character spans all that it is composed of.
        assert all(0 <= start <= end <= len(text) for start, end in found)
        assert found == sorted(found)


@pytest.mark.parametrize("examples", matrix([8, 300], default=[8]))
def test_ids_and_offsets_equal_the_reference(examples):
    assert_same(AWKWARD)
    alone = [encoded.ids for encoded in theirs().encode_batch(AWKWARD)]
    assert ours()([text.encode() for text in AWKWARD]).to_list() == alone  # without offsets
    strings = st.lists(STRINGS, min_size=1, max_size=20)
    settings(max_examples=examples, deadline=None)(given(strings)(assert_same))()


def test_offsets_of_composed_characters_span_their_sources():
    text = "e\u0301 e\u0323\u0301x"
    _, starts, ends = (part.to_list()[0] for part in ours().with_offsets([text]))
    spans = {text.encode()[a:b].decode() for a, b in zip(starts, ends, strict=True)}
    assert {"e\u0301", "x"} <= spans


def test_vocabulary_has_only_the_bytes_of_texts_and_invalid_ones_are_replaced():
    letters = set(letters_of_texts())
    lacking = [bytes([byte]) for byte, each in enumerate(byte_letters()) if each not in letters]
    assert len(lacking) == 13
    for raw in (*lacking, b"a" + b"".join(lacking) + b"b"):
        text = raw.decode("utf-8", "replace")
        found, *_ = ours().with_offsets([raw])
        assert ours()([raw]).to_list() == found.to_list() == [theirs().encode(text).ids]


@pytest.mark.parametrize("step", matrix([61, 1], default=[61]))
def test_every_code_point_is_composed_as_the_reference_does(step):
    points = [p for p in range(1, 0x110000) if not 0xD800 <= p <= 0xDFFF]
    texts = [f"a{chr(p)}" for p in points if p < 0x3100 or p % step == 0]
    normal = [text.decode() for text in tf_text.normalize_utf8(texts, "NFC").numpy()]
    assert normal == [normalizers.NFC().normalize_str(text) for text in texts]


def composed(texts):
    points = _text_parts.composed(_text_parts.whole(tf.constant(texts))).points
    return [text.decode() for text in tf.strings.unicode_encode(points, "UTF-8").numpy()]


def test_runs_of_marks_are_composed_as_the_op_does():
    source, marks = random.Random(1), [p for p in range(0x3100) if unicodedata.combining(chr(p))]
    texts = ["".join(map(chr, [ord("e"), *source.choices(marks, k=6), 97])) for _ in range(500)]
    assert composed(texts) == [t.decode() for t in tf_text.normalize_utf8(texts, "NFC").numpy()]
    made = [f"A{mark}\u0308" for mark in "\u0f73\u0f75\u0f81"]  # which are no marks themselves
    assert composed(made) == [unicodedata.normalize("NFC", text) for text in made]
    text = "a" + "\u0301\u0323" * 2000
    assert composed([text]) == [unicodedata.normalize("NFC", text)]


def test_framed_texts_and_pairs_equal_the_reference():
    reference = theirs(specials=True)
    reference.enable_truncation(9, strategy="longest_first")
    layer = TextLayer(tokenizer=ours(), truncation=Head(), max_length=9)
    texts = ["", "a  movie", "the plot was a mess, and the cast " * 3]
    assert layer(texts)["token_ids"].to_list() == [e.ids for e in reference.encode_batch(texts)]
    pairs = [(first, second) for first in texts for second in texts]
    found = layer(*map(list, zip(*pairs, strict=True)))
    assert list(found) == ["token_ids"]
    assert found["token_ids"].to_list() == [e.ids for e in reference.encode_batch(pairs)]


def test_written_files_are_read_as_the_same_tokenizer(tmp_path):
    ours().save(tmp_path, max_length=48)
    (tmp_path / "config.json").write_text('{"model_type": "modernbert"}')
    again = read_tokenizer(tmp_path)
    assert (again.vocabulary, again.identity()) == (ours().vocabulary, ours().identity())
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert loaded.model_max_length == 48
    texts = ["a  b", "don't   stop", "e\u0301", "|||IP||| [unused0]"]
    pairs = loaded(texts, texts[::-1])
    assert list(pairs) == ["input_ids", "attention_mask"]
    framed = ours().frame(ours()(texts), ours()(texts[::-1]))
    assert framed["token_ids"].to_list() == pairs["input_ids"]
    loaded.save_pretrained(tmp_path / "again")
    resaved = read_tokenizer(tmp_path / "again")
    assert (resaved.vocabulary, resaved.identity()) == (ours().vocabulary, ours().identity())


def test_graph_holds_only_ops_that_servers_link():
    graph = in_graph().get_concrete_function().graph.as_graph_def()
    functions = graph.library.function
    ops = {node.op for part in (graph.node, *(f.node_def for f in functions)) for node in part}
    assert _ops.unknown(ops - {function.signature.name for function in functions}) == []


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"normalizer": {"type": "NFKC"}}, ["normalizer NFKC", "NFC is supported"]),
        ({"post_processor": None}, ["bos_token '[CLS]'", "'<s>'"]),
        ({"added_tokens": {"lstrip": True}}, ["adds '  ' with lstrip"]),
        ({"added_tokens": {"single_word": True}}, ["adds '  ' with single_word"]),
        ({"added_tokens": {"content": "東"}}, ["`added_tokens` must be printable ASCII", "'東'"]),
        ({"config": {"999": {"content": "x"}}}, ["tokenizer_config.json adds 'x' with id 999"]),
    ],
)
def test_what_is_not_supported_is_refused_by_name(tmp_path, changes, parts):
    ours().save(tmp_path)
    path, config = tmp_path / "tokenizer.json", tmp_path / "tokenizer_config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    entry = next(e for e in content["added_tokens"] if e["content"] == "  ")
    if "added_tokens" in changes:
        entry.update(changes.pop("added_tokens"))
    if "config" in changes:
        decoder = {"added_tokens_decoder": changes.pop("config")}
        config.write_text(json.dumps(json.loads(config.read_text()) | decoder))
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_tokenizer(tmp_path)
    assert "\n" not in str(error.value)
    for part in ("`encoder`", str(tmp_path), *parts):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"add_prefix_space": True}, "must be empty with add_prefix_space"),
        ({"added_tokens": [AddedToken("  ", 3, True)]}, "printable ASCII.* '  ' with id 3"),
        ({"vocabulary": small_vocabulary()[0]}, r"without \[CLS\]"),
    ],
)
def test_invalid_arguments_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        BytePair(**{**modern_settings(), **changes})
