"""SentencePiece's unigram model gives the reference's ids and offsets on every string."""

import functools
import json
import time
import unicodedata

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkeras.exporters import _ops
from ftkeras.text import _sentencepiece_model
from ftkeras.text.layer import TextLayer
from ftkeras.text.offsets import to_characters
from ftkeras.text.truncations.head import Head
from ftkeras.text.unigram import Unigram
from tests.text.unigram_reference import LANGUAGES, reference, score, small_model, tokenizer

CHARACTERS = st.one_of(
    st.sampled_from("the movie was good. \t\n\u3000\u00a0▁!?½ﬁ"),
    st.sampled_from(sorted(set("".join(LANGUAGES)))),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
# Without characters that the normalizers of `sentencepiece` and `tokenizers` treat differently.
PLAIN = st.sampled_from(sorted(set("".join(LANGUAGES) + "the movie was good. !?\t\n\u3000\u00a0½")))
AWKWARD = [
    *("", " ", "a  b", "  a", "a  ", "ﬁne ﬁ ½x", "東京 x", "a\u200bb", "\ufeffx", "🙂🙂 🙂", "각"),
    *("a\0b", "\0", "x \x01 y", "\x01", "!!!!!!", "▁", "▁▁a", "x" * 300),
    *("\u0301", "a\u0301 e\u0301"),
]

LAYOUT = "XLMRobertaTokenizer"


@functools.cache
def ours(name="XLMRobertaTokenizer"):
    return tokenizer(small_model(), name)


def without_stray_marks(text):
    """Drop marks that `tokenizers` drops with what they follow: a space or a replaced character."""
    found, base = [], " "
    for character in text:
        if not unicodedata.category(character).startswith("M"):
            base = character
        elif base.isspace() or unicodedata.normalize("NFKC", base + character) != base + character:
            continue
        found.append(character)
    return "".join(found)


@functools.cache
def in_graph():
    """Return a batch's ids, and ids with their offsets in characters, as one graph."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def compute(texts):
        ids, starts, ends = ours().with_offsets(texts)
        return ours()(texts), ids, to_characters(texts, starts), to_characters(texts, ends)

    return compute


def encode(texts):
    """Return ids, and pairs of offsets in characters; check what holds for every text."""
    ids, same, starts, ends = (part.to_list() for part in in_graph()(tf.constant(texts, tf.string)))
    assert ids == same
    spans = [list(zip(*part, strict=True)) for part in zip(starts, ends, strict=True)]
    for text, tokens in zip(texts, spans, strict=True):
        assert all(0 <= start < end <= len(text) for start, end in tokens), (text, tokens)
        assert tokens == sorted(tokens)
    return ids, spans


def assert_tie(found, wanted):
    """Check that two segmentations, of ids, have the same score."""
    scores = {p.piece: p.score for p in _sentencepiece_model.parse(small_model()).pieces}
    scores["<unk>"] = min(scores.values()) - 10
    names = ours().vocabulary
    found, wanted = ([names[i] for i in ids] for ids in (found, wanted))
    assert abs(score(found, scores) - score(wanted, scores)) < 1e-4, (found, wanted)


def test_ids_of_any_strings_equal_the_reference_or_score_the_same():
    theirs = sentencepiece.SentencePieceProcessor(model_proto=small_model())

    def check(texts):
        found, _ = encode(texts)
        for text, ids in zip(texts, found, strict=True):
            wanted = [i + 1 if i else 3 for i in theirs.encode(text)]
            if ids != wanted:
                assert_tie(ids, wanted)

    check(AWKWARD + LANGUAGES)
    strings = st.lists(st.text(CHARACTERS, max_size=40), min_size=1, max_size=20)
    settings(max_examples=40, deadline=None)(given(strings)(check))()


def test_ids_and_offsets_equal_those_of_tokenizers(tmp_path):
    theirs = reference(tmp_path, small_model()).backend_tokenizer

    def check(texts):
        texts = [without_stray_marks(text) for text in texts]
        found = encode(texts)
        wanted = theirs.encode_batch(texts, add_special_tokens=False)
        for ids, spans, want in zip(*found, wanted, strict=True):
            if ids != want.ids:
                assert_tie(ids, want.ids)
            else:
                assert spans == want.offsets

    check(LANGUAGES)
    check(["ﬁne ﬁ ½x", "東京 x", "a\u200bb", "x \x01 y", "\ufeffx", "🙂🙂 🙂", "a  b "])
    strings = st.lists(st.text(PLAIN, max_size=40), min_size=1, max_size=20)
    settings(max_examples=40, deadline=None)(given(strings)(check))()


def test_invalid_bytes_are_decoded_as_python_does():
    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.binary(max_size=12), min_size=1, max_size=20))
    def check(raw):
        texts = [text.decode("utf-8", "replace") for text in raw]
        found = [part.to_list() for part in in_graph()(tf.constant(raw))]
        assert found == [part.to_list() for part in in_graph()(tf.constant(texts))]

    check()


def test_long_word_takes_linear_time():
    word = ["etaoinshrdlu" * 10_000]
    start = time.process_time()
    ids, _ = encode(word)
    assert time.process_time() - start < 10
    assert len(ids[0]) > 10_000


def test_empty_batch_has_no_ids():
    none = tf.zeros([0], tf.string)
    for part in (ours()(none), *ours().with_offsets(none)):
        assert part.to_list() == []


@pytest.mark.parametrize("name", ["XLMRobertaTokenizer", "CamembertTokenizer"])
def test_framed_texts_and_pairs_equal_the_reference(name, tmp_path):
    theirs = reference(tmp_path, small_model(), name)
    assert list(ours(name).vocabulary) == theirs.convert_ids_to_tokens(range(len(theirs)))
    layer = TextLayer(tokenizer=ours(name), truncation=Head(), max_length=12)
    texts = ["", "a movie", "the plot was a mess, and the cast " * 3, "한국 영화"]
    known = {"truncation": "longest_first", "max_length": 12}
    assert layer(texts)["token_ids"].to_list() == theirs(texts, **known)["input_ids"]
    pairs = [(first, second) for first in texts for second in texts]
    found = layer(*map(list, zip(*pairs, strict=True)))
    assert list(found) == ["token_ids"]
    assert found["token_ids"].to_list() == theirs(pairs, **known)["input_ids"]


def test_graph_holds_only_ops_that_servers_link():
    graph = in_graph().get_concrete_function().graph.as_graph_def()
    functions = graph.library.function
    ops = {node.op for part in (graph.node, *(f.node_def for f in functions)) for node in part}
    assert _ops.unknown(ops - {function.signature.name for function in functions}) == []


@pytest.mark.process
def test_an_exported_tokenizer_gives_the_same_with_ops_that_servers_link(tmp_path):
    class Served(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def __call__(self, texts):
            ids, starts, ends = ours().with_offsets(texts)
            return {"ids": ids.to_tensor(-1), "starts": starts.to_tensor(-1),
                    "ends": ends.to_tensor(-1)}  # fmt: skip

    module = Served()
    module.tokenizer = ours()
    tf.saved_model.save(module, str(tmp_path))
    assert _ops.unknown(_ops.used(tmp_path)) == []
    loaded = tf.saved_model.load(str(tmp_path))
    for texts in (AWKWARD, LANGUAGES, [""]):
        for name, value in loaded(tf.constant(texts)).items():
            assert value.numpy().tolist() == module(tf.constant(texts))[name].numpy().tolist()


def test_models_without_a_dummy_prefix_or_space_removal_have_valid_offsets():
    model = small_model(
        add_dummy_prefix=False, remove_extra_whitespaces=False, normalization_rule_name="identity"
    )
    ids, starts, ends = tokenizer(model).with_offsets([" a  b ", "", "  ", "x\u3000"])
    for text, first, last in zip([6, 0, 2, 4], starts.to_list(), ends.to_list(), strict=True):
        assert all(0 <= a < b <= text for a, b in zip(first, last, strict=True))
    assert [bool(row) for row in ids.to_list()] == [True, False, True, True]


def test_identity_depends_on_the_model():
    other = tokenizer(small_model(normalization_rule_name="identity"))
    assert ours().identity() != other.identity()
    json.dumps(ours().identity())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": b"no model"}, "`model` must be a SentencePiece model"),
        ({"model": b""}, "one without pieces"),
        ({"vocabulary": ["<s>", "<pad>"]}, "without </s>, <unk>"),
        ({"vocabulary": ["<s>", "<pad>", "</s>", "<unk>"]}, "`vocabulary` must hold all pieces"),
    ],
)
def test_invalid_arguments_are_refused(changes, message):
    arguments = {"model": small_model(), "vocabulary": ours().vocabulary, "layout": ours().layout}
    with pytest.raises(ValueError, match=message):
        Unigram(**{**arguments, **changes})


def test_other_kinds_of_models_are_refused():
    model = small_model(model_type="bpe", vocab_size=500)
    pieces = _sentencepiece_model.parse(model).pieces
    with pytest.raises(ValueError, match="must be a unigram model.*model_type=2"):
        Unigram(model=model, vocabulary=[p.piece for p in pieces] + ["<pad>"], layout=LAYOUT)
    with pytest.raises(ValueError, match="`layout` must be one of XLMRobertaTokenizer"):
        Unigram(model=model, vocabulary=[], layout="")
    assert np.float32(pieces[3].score) == pieces[3].score
