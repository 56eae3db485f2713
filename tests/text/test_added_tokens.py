"""Tokens that a checkpoint adds are found in texts as `tokenizers` finds them."""

import random

import pytest
import tensorflow as tf
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from ftkeras.exporters import _ops
from ftkeras.text._added_tokens import AddedToken
from ftkeras.text.wordpiece import WordPiece
from tests.matrix import examples, matrix
from tests.text.mixtures import mixtures
from tests.text.reference import ids_of, reference, small_vocabulary

VOCABULARY = small_vocabulary()

# (content, normalized, special): beside and inside each other, with spaces, accents, ideographs.
ADDED = [
    ("[E1]", False, True),
    ("[/E1]", False, True),
    ("[E1][E1]", False, True),
    ("aff", False, False),
    ("Ä b", False, False),
    ("☃", False, True),
    ("RUNN", True, False),
    ("runna", True, False),
    ("Éé", True, False),
    ("中文", True, False),
    ("a.b", True, True),
    (".*", True, False),
]
PARTS = st.one_of(
    st.sampled_from([content for content, _, _ in ADDED]),
    st.sampled_from([*"[]E1/ abÄée\u0301中文.*\n\u200b\x00", "[e1]", "runn", "RUNNA", "[SEP]"]),
    st.text(max_size=3),
)


def added_tokens(specification=ADDED):
    """Return AddedTokens with the ids that follow VOCABULARY; one has its id in VOCABULARY."""
    new = [content for content, _, _ in specification if content not in VOCABULARY]
    ids = {token: index for index, token in enumerate([*VOCABULARY, *new])}
    tokens = [
        AddedToken(content, ids[content], normalized, special)
        for content, normalized, special in specification
    ]
    return sorted(tokens, key=lambda token: token.id)


def reference_with(added, **keys):
    tokenizer = reference(VOCABULARY, **keys)
    for token in added:
        options = {"normalized": token.normalized, "special": token.special}
        tokenizer.add_tokens([tokenizers.AddedToken(token.content, **options)])
    assert [tokenizer.token_to_id(token.content) for token in added] == [t.id for t in added]
    return tokenizer


NORMALIZED = [(False,), (True,), (False, True)]


@pytest.mark.parametrize("lowercase", matrix([True, False], default=[True]))
@pytest.mark.parametrize("normalized", matrix(NORMALIZED, default=NORMALIZED[2:]), ids=str)
def test_ids_of_any_strings_equal_the_reference(lowercase, normalized):
    added = added_tokens([entry for entry in ADDED if entry[1] in normalized])
    wordpiece = WordPiece(vocabulary=VOCABULARY, lowercase=lowercase, added_tokens=added)
    tokenizer = reference_with(added, lowercase=lowercase)

    @examples(30)
    @given(st.lists(st.lists(PARTS, max_size=12).map("".join), min_size=1, max_size=20))
    def check(texts):
        texts = [text.encode("utf-8", "replace").decode() for text in texts]
        assert wordpiece(texts).to_list() == ids_of(tokenizer, texts)

    check()
    texts = list(mixtures([*VOCABULARY, *(t.content for t in added)], 1000, random.Random(4)))
    assert wordpiece(texts).to_list() == ids_of(tokenizer, texts)


@pytest.mark.parametrize("normalized", [True, False])
def test_many_added_tokens_are_told_apart(normalized):
    added = added_tokens([(f"<tok{number}>", normalized, False) for number in range(600)])
    wordpiece = WordPiece(vocabulary=VOCABULARY, added_tokens=added)
    texts = ["<tok1> <tok12>x<tok123><TOK599>", "<tok", ""]
    assert wordpiece(texts).to_list() == ids_of(reference_with(added), texts)


def test_added_tokens_are_in_the_vocabulary_and_the_identity():
    added = added_tokens()
    wordpiece = WordPiece(vocabulary=VOCABULARY, added_tokens=added)
    assert all(wordpiece.vocabulary[token.id] == token.content for token in added)
    assert wordpiece.identity() != WordPiece(vocabulary=VOCABULARY).identity()
    assert wordpiece(tf.zeros([0], tf.string)).to_list() == []


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([AddedToken("x1", 7)], f"'x1' the id {len(VOCABULARY)}"),
        ([AddedToken("", len(VOCABULARY))], "Received: ''"),
        ([AddedToken("[SEP]", 3)], r"Received: '\[SEP\]'"),
        (2 * [AddedToken("x1", len(VOCABULARY))], "Received: 'x1'"),
        (
            [AddedToken(c, len(VOCABULARY) + i, True) for i, c in enumerate(["Xy", "xY"])],
            "'xY', which becomes the same as 'Xy'",
        ),
        ([AddedToken("\u0316", len(VOCABULARY), True)], "same as nothing"),
    ],
)
def test_tokens_that_cannot_be_told_apart_are_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        WordPiece(vocabulary=VOCABULARY, added_tokens=tokens)


def test_saved_files_read_back_here_and_in_transformers(tmp_path):
    added = added_tokens()
    saved = WordPiece(vocabulary=VOCABULARY, added_tokens=added)
    saved.save(tmp_path / "new")
    again = WordPiece.from_folder(tmp_path / "new")
    assert (again.vocabulary, again.identity()) == (saved.vocabulary, saved.identity())
    theirs = AutoTokenizer.from_pretrained(tmp_path / "new", local_files_only=True)
    words = [*VOCABULARY[5:], *(token.content for token in added)]
    texts = [t for t in mixtures(words, 500, random.Random(3)) if "[MASK]" not in t]
    assert again(texts).to_list() == theirs(texts, add_special_tokens=False)["input_ids"]


@pytest.mark.matrix
def test_graph_with_added_tokens_saves_with_ops_that_servers_have(tmp_path):
    added = added_tokens()
    module = tf.Module()
    module.wordpiece = WordPiece(vocabulary=VOCABULARY, added_tokens=added)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def ids(texts):
        return module.wordpiece(texts).to_tensor(-1)

    tf.saved_model.save(module, str(tmp_path), {"serving_default": ids})
    assert _ops.unknown(_ops.used(tmp_path)) == []
    texts = tf.constant(["[E1]runnable[/E1] Éé", "a"])
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](texts)
    assert served["output_0"].numpy().tolist() == ids(texts).numpy().tolist()


def test_offsets_are_refused_with_the_token_and_the_remedy():
    wordpiece = WordPiece(vocabulary=VOCABULARY, added_tokens=added_tokens([("NEW", False, True)]))
    with pytest.raises(ValueError, match="added tokens .here 'NEW'. has no offsets; use a check"):
        wordpiece.with_offsets(["a NEW b"])
