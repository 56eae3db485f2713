"""The files of a byte-level BPE tokenizer are followed, or refused by name."""

import json

import pytest
import transformers

from ftkeras.errors import UserError
from ftkeras.text.byte_pair import BytePair
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.wordpiece import WordPiece
from tests.text import untyped
from tests.text.byte_pair_reference import reference, small_vocabulary

TEXTS = ["The plot's a mess", " naïve </s>  東京", "", "<mask> 's"]
ROBERTA = {"tokenizer_class": "RobertaTokenizer"}
BACKEND = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}


def layout(folder, tokenizer=None, plain=True, words=False, **files):
    """Write a checkpoint's files; `tokenizer` has changes of tokenizer.json, or is None."""
    vocabulary, merges = small_vocabulary()
    if plain:
        ids = {token: index for index, token in enumerate(vocabulary)}
        (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
        lines = ["#version: 0.2", *map(" ".join, merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if words:
        (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n")
    if tokenizer is not None:
        content = json.loads(reference(vocabulary, merges).to_str())
        for key, value in tokenizer.items():
            part, _, name = key.partition(".")
            content = content | {part: {**content[part], name: value} if name else value}
        (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    for name, content in {"config": {"model_type": "roberta"}, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


LAYOUTS = {
    "vocab.json and merges.txt": {},
    "prefix": {"tokenizer_config": {**ROBERTA, "add_prefix_space": True}},
    "tokenizer.json": {"tokenizer": {}, "plain": False, "tokenizer_config": ROBERTA},
    "any class": {"tokenizer": {}, "plain": False, "tokenizer_config": BACKEND},
    "roles": {
        "tokenizer_config": {
            **ROBERTA,
            "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True},
        },
        "special_tokens_map": {"cls_token": "<s>", "eos_token": "</s>"},
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_ids_are_those_of_transformers(tmp_path, name):
    folder = layout(tmp_path, **LAYOUTS[name])
    theirs = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    wanted = theirs(TEXTS, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert read_tokenizer(folder)(TEXTS).to_list() == wanted


@pytest.mark.parametrize("name", LAYOUTS)
def test_files_from_before_models_had_a_type_are_read(tmp_path, name):
    untyped.require_equal(layout(tmp_path, **LAYOUTS[name]), BytePair, TEXTS)


def test_written_files_are_read_as_the_same_tokenizer(tmp_path):
    vocabulary, merges = small_vocabulary()
    ours = BytePair(vocabulary=vocabulary, merges=merges, add_prefix_space=True)
    ours.save(tmp_path, max_length=48)
    again = BytePair.from_folder(tmp_path)
    assert (again.vocabulary, again.identity()) == (ours.vocabulary, ours.identity())
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert theirs.model_max_length == 48
    pairs = theirs(TEXTS, TEXTS[::-1])
    assert list(pairs) == ["input_ids", "attention_mask"]
    framed = ours.frame(ours(TEXTS), ours(TEXTS[::-1]))
    assert framed["token_ids"].to_list() == pairs["input_ids"]


def decoder(content):
    return {"added_tokens_decoder": {"700": {"content": content, "special": True}}}


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"tokenizer_config": {"tokenizer_class": "CTRLTokenizer"}}, ["'CTRLTokenizer'"]),
        ({"tokenizer_config": BACKEND}, ["no tokenizer.json", "PreTrainedTokenizerFast"]),
        ({"tokenizer_config": {"cls_token": "[CLS]"}}, ["cls_token '[CLS]'", "'<s>'"]),
        ({"special_tokens_map": {"pad_token": "<p>"}}, ["pad_token '<p>'"]),
        ({"tokenizer_config": {"add_prefix_space": "yes"}}, ["add_prefix_space 'yes'"]),
        ({"tokenizer_config": {"padding_side": "left"}}, ["padding_side 'left'"]),
        ({"tokenizer_config": decoder("[E1]")}, ["adds '[E1]'"]),
        ({"added_tokens": {"[E1]": 700}}, ["adds '[E1]'", "added_tokens.json"]),
        ({"tokenizer_config": {"additional_special_tokens": ["x"]}}, ["additional_special_tokens"]),
        (
            {"tokenizer": {}, "tokenizer_config": {"add_prefix_space": True}},
            ["add_prefix_space True in tokenizer_config.json", "False in tokenizer.json"],
        ),
        ({"tokenizer": {"normalizer": {"type": "NFC"}}}, ["normalizer NFC"]),
        ({"tokenizer": {"pre_tokenizer": None}}, ["pre_tokenizer none", "ByteLevel"]),
        ({"tokenizer": {"pre_tokenizer.use_regex": False}}, ["pre_tokenizer ByteLevel"]),
        ({"tokenizer": {"model.dropout": 0.1}}, ["dropout 0.1"]),
        ({"tokenizer": {"model.end_of_word_suffix": "</w>"}}, ["end_of_word_suffix '</w>'"]),
        ({"tokenizer": {"model.ignore_merges": True}}, ["ignore_merges True"]),
        ({"tokenizer": {"model.merges": [["a"]]}}, ["a merge that is not two tokens: ['a']"]),
        (
            {"tokenizer": {"model.type": "WordLevel"}},
            ["model WordLevel", "BPE, Unigram, WordPiece"],
        ),
        (
            {"tokenizer": {"post_processor": None}, "tokenizer_config": BACKEND},
            ["post_processor (none)"],
        ),
        ({"words": True}, ["vocab.txt and vocab.json"]),
        ({"plain": False}, ["no tokenizer.json, no vocab.txt and no vocab.json"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_what_is_not_supported_is_refused_by_name(tmp_path, files, parts):
    with pytest.raises(UserError) as error:
        read_tokenizer(layout(tmp_path, **files))
    message = str(error.value)
    assert "\n" not in message
    for part in ("`encoder`", str(tmp_path), *parts):
        assert part in message


def test_class_says_which_of_two_vocabularies_counts(tmp_path):
    layout(tmp_path, words=True, tokenizer_config=ROBERTA)
    assert isinstance(read_tokenizer(tmp_path), BytePair)
    layout(tmp_path, words=True, tokenizer_config={"tokenizer_class": "BertTokenizer"})
    assert isinstance(read_tokenizer(tmp_path), WordPiece)
