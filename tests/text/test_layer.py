import json
import random
import subprocess
import sys
import textwrap

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import processors

from ftkeras.text.layer import TextLayer, longest_first
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.head_tail import HeadTail
from ftkeras.text.truncations.tail import Tail
from ftkeras.text.wordpiece import WordPiece
from tests.matrix import examples
from tests.text.mixtures import mixtures
from tests.text.reference import reference, small_vocabulary

CORE_OPS = {name for name in dir(tf.raw_ops) if name[0].isupper()}

VOCABULARY = small_vocabulary()
WORDPIECE = WordPiece(vocabulary=VOCABULARY)
CLS, SEP, A, B = (VOCABULARY.index(token) for token in ("[CLS]", "[SEP]", "a", "b"))


def _layer(max_length, truncation=None):
    return TextLayer(tokenizer=WORDPIECE, truncation=truncation or Head(), max_length=max_length)


def _reference(max_length):
    tokenizer = reference(VOCABULARY)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
    )
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    return tokenizer


@pytest.mark.parametrize("max_length", [3, 4, 9, 64])
def test_single_texts_equal_the_reference(max_length):
    texts = ["", " ", *mixtures(VOCABULARY, 100, random.Random(max_length))]
    want = [e.ids for e in _reference(max_length).encode_batch(texts)]
    found = _layer(max_length)(texts)
    assert list(found) == ["token_ids"]
    assert found["token_ids"].dtype == tf.int32
    assert found["token_ids"].to_list() == want


@pytest.mark.parametrize("max_length", [5, 6, 7, 8, 13, 14, 64])
def test_pairs_equal_the_reference_longest_first(max_length):
    lengths = range(12)  # all cases in which two lengths fit, are equal or do not fit
    pairs = [(" ".join("a" * i), " ".join("b" * j)) for i in lengths for j in lengths]
    made = list(mixtures(VOCABULARY, 200, random.Random(max_length)))
    pairs += list(zip(made[:100], made[100:], strict=True))
    want = _reference(max_length).encode_batch(pairs)
    found = _layer(max_length)(*map(list, zip(*pairs, strict=True)))
    assert found["token_ids"].to_list() == [e.ids for e in want]
    assert found["segment_ids"].to_list() == [e.type_ids for e in want]


@examples(50)
@given(st.lists(st.tuples(*[st.integers(0, 40)] * 2), min_size=1), st.integers(0, 60))
def test_longest_first_keeps_what_fits_and_fills_the_budget(lengths, budget):
    first, second = tf.constant(lengths, tf.int64)[:, 0], tf.constant(lengths, tf.int64)[:, 1]
    a, b = longest_first(first, second, budget)
    tf.debugging.assert_equal(a + b, tf.minimum(first + second, budget))
    tf.debugging.assert_less_equal(a, first)
    tf.debugging.assert_less_equal(b, second)


@pytest.mark.parametrize(
    ("truncation", "want"),
    [(Head(), "0 1 2 3 4"), (Tail(), "5 6 7 8 9"), (HeadTail(head=2), "0 1 7 8 9")],
)
def test_truncation_is_applied_between_the_special_tokens(truncation, want):
    digits = WordPiece(vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"0123456789"])
    layer = TextLayer(tokenizer=digits, truncation=truncation, max_length=7)
    ids = layer(["0 1 2 3 4 5 6 7 8 9", "5 6"])["token_ids"].to_list()
    assert [digits.vocabulary[i] for i in ids[0]] == ["[CLS]", *want.split(), "[SEP]"]
    assert [digits.vocabulary[i] for i in ids[1]] == ["[CLS]", "5", "6", "[SEP]"]


def test_truncation_is_applied_to_each_text_of_a_pair_with_its_own_limit():
    layer = _layer(9, Tail())
    found = layer(["b b b b a a a", "a"], ["a a b", "a b b b b b b b"])["token_ids"]
    assert found.to_list() == [
        [CLS, A, A, A, SEP, A, A, B, SEP],
        [CLS, A, SEP, B, B, B, B, B, SEP],
    ]


def test_separator_in_a_text_is_ordinary_text():
    ids = _layer(64)(["a [SEP] b", "[CLS]"])["token_ids"].to_list()
    assert [row.count(SEP) for row in ids] == [1, 1]
    assert [row.count(CLS) for row in ids] == [1, 1]


@pytest.mark.parametrize("pairs", [False, True])
def test_empty_batch_gives_empty_batches(pairs):
    none = tf.zeros([0], tf.string)
    found = _layer(8)(none, none if pairs else None)
    assert all(value.to_list() == [] and value.dtype == tf.int32 for value in found.values())


@pytest.mark.parametrize("max_length", [2, 0, -1, 3.5, "8"])
def test_max_length_out_of_bounds_is_refused(max_length):
    with pytest.raises(ValueError, match=r"`max_length`.*at least 3.*Received"):
        _layer(max_length)


def test_max_length_too_small_for_pairs_is_refused():
    with pytest.raises(ValueError, match=r"`max_length`.*at least 5.*Received: 4"):
        _layer(4)(["a"], ["b"])


class _Served(tf.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def one(self, texts):
        return self.layer(texts)["token_ids"].to_tensor()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)] * 2, autograph=False)
    def two(self, texts, pairs):
        return {k: v.to_tensor() for k, v in self.layer(texts, pairs).items()}


@pytest.mark.process
def test_saved_model_gives_the_same_ids_in_another_process(tmp_path):
    served = _Served(_layer(32, HeadTail(head=4)))
    tf.saved_model.save(served, str(tmp_path / "model"))
    texts = ["", "ASCII only", "ΣΑΣ İ 中文 \U0001d16e\U0001d165 é", "\u302ea\u0301"]
    (tmp_path / "text").write_text(repr(texts), encoding="utf-8")
    program = f"""
        import ast, pathlib, sys
        import tensorflow as tf
        import tensorflow_text
        model = tf.saved_model.load({str(tmp_path / "model")!r})
        texts = ast.literal_eval(pathlib.Path({str(tmp_path / "text")!r}).read_text("utf-8"))
        print(model.one(texts).numpy().tolist(), model.one(tf.zeros([0], tf.string)).shape[0],
              {{k: v.numpy().tolist() for k, v in sorted(model.two(texts, texts[::-1]).items())}})
        assert not [name for name in sys.modules if name.split(".")[0] == "ftkeras"]
    """
    command = [sys.executable, "-X", "utf8", "-c", textwrap.dedent(program)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    two = {k: v.numpy().tolist() for k, v in sorted(served.two(texts, texts[::-1]).items())}
    assert run.stdout.strip() == f"{served.one(texts).numpy().tolist()} 0 {two}"


def test_graph_holds_only_ops_that_serving_links():
    served = _Served(_layer(32, HeadTail(head=4)))
    graph = served.two.get_concrete_function().graph.as_graph_def()
    ops = {node.op for node in graph.node}
    ops |= {node.op for function in graph.library.function for node in function.node_def}
    assert not [op for op in ops if "PyFunc" in op or "HashTable" in op]
    listed = {"FastWordpieceTokenizeWithOffsets"}  # the only op of tensorflow-text
    assert ops - listed <= CORE_OPS
    assert listed <= ops


def test_identity_differs_for_all_that_changes_ids():
    def identity(length=32, truncation=None, vocabulary=VOCABULARY, **settings):
        wordpiece = WordPiece(vocabulary=vocabulary, **settings)
        layer = TextLayer(tokenizer=wordpiece, truncation=truncation or Head(), max_length=length)
        return json.dumps(layer.identity(), sort_keys=True)

    others = [
        identity(33),
        identity(truncation=Tail()),
        identity(truncation=HeadTail(head=4)),
        identity(truncation=HeadTail(head=5)),
        identity(vocabulary=[*VOCABULARY[:-2], *VOCABULARY[:-3:-1]]),
        identity(vocabulary=[*VOCABULARY, "more"]),
        identity(lowercase=False),
        identity(strip_accents=False),
        identity(split_chinese=False),
    ]
    assert identity() == identity()
    assert len({identity(), *others}) == 1 + len(others)


class _Whole(Head):
    """Keep everything."""


def test_identity_depends_on_the_code_of_the_truncation():
    identities = [_layer(8, truncation).identity()["code"] for truncation in (Head(), _Whole())]
    assert identities[0] != identities[1]


def test_each_text_of_a_pair_may_be_a_row_of_its_own():
    settings = {"tokenizer": WORDPIECE, "truncation": Head(), "max_length": 4}
    layer = TextLayer(**settings, each_text=True)
    assert not layer.segments
    found = layer(tf.constant(["a a a", "b"]), tf.constant(["b b", ""]))
    assert list(found) == ["token_ids"]
    single = TextLayer(**settings)(tf.constant(["a a a", "b b", "b", ""]))
    assert found["token_ids"].to_list() == single["token_ids"].to_list()
    assert layer(tf.constant(["a"]))["token_ids"].to_list() == [[CLS, A, SEP]]
