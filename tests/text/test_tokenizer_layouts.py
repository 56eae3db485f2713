"""Settings in a tokenizer's files that change ids are followed, or refused by name."""

import json
import logging

import pytest
from transformers import AutoTokenizer

from ftkeras.errors import UserError
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.wordpiece import WordPiece
from tests.text.reference import reference, small_vocabulary

VOCABULARY = small_vocabulary()
NEXT = len(VOCABULARY)
TEXTS = ["The [E1]Été[/E1] unable", "[E1] [/E1]x[E1]", "é WOW wowa [e1]", "中文 [E1]中"]
BERT = {"tokenizer_class": "BertTokenizer"}
PLAIN = {"lstrip": False, "rstrip": False, "single_word": False}


def entry(content, special=True, **options):
    return {"content": content, **PLAIN, "normalized": not special, "special": special, **options}


def decoder(*tokens):
    return {str(NEXT + number): token for number, token in enumerate(tokens)}


def layout(folder, tokenizer=None, vocabulary=True, **files):
    """Write a checkpoint's files; `tokenizer` is (settings, change of the content)."""
    folder.mkdir(exist_ok=True)
    if vocabulary:
        (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    if tokenizer is not None:
        keys, changes = tokenizer
        content = {**json.loads(reference(VOCABULARY, **keys).to_str()), **changes}
        (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    files = {"config": {"model_type": "bert"}, **files}
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def both(folder):
    """Return our ids and those of transformers."""
    theirs = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    ids = theirs(TEXTS, add_special_tokens=False)["input_ids"]
    return WordPiece.from_folder(folder)(TEXTS).to_list(), ids


MARKS = [entry("[E1]"), entry("[/E1]")]
IN_TOKENIZER = [{"id": NEXT + number, **mark} for number, mark in enumerate(MARKS)]
LAYOUTS = {
    "tokenizer.json": {"tokenizer": ({}, {"added_tokens": IN_TOKENIZER})},
    "tokenizer.json alone, any class": {
        "tokenizer": (
            {"lowercase": False},
            {
                "added_tokens": IN_TOKENIZER,
                "post_processor": {
                    "type": "BertProcessing",
                    "cls": ["[CLS]", 2],
                    "sep": ["[SEP]", 3],
                },
            },
        ),
        "tokenizer_config": {"tokenizer_class": "PreTrainedTokenizerFast"},
        "vocabulary": False,
    },
    "decoder": {"tokenizer_config": {**BERT, "added_tokens_decoder": decoder(*MARKS)}},
    "decoder and tokenizer.json": {
        "tokenizer": ({}, {"added_tokens": IN_TOKENIZER}),
        "tokenizer_config": {**BERT, "added_tokens_decoder": decoder(*MARKS)},
    },
    "words": {
        "tokenizer_config": {
            **BERT,
            "added_tokens_decoder": decoder(entry("Wow", False), entry("unab", False)),
        }
    },
    "added_tokens.json, special": {
        "added_tokens": {"[E1]": NEXT, "[/E1]": NEXT + 1},
        "special_tokens_map": {"additional_special_tokens": ["[E1]", "[/E1]"]},
    },
    "added_tokens.json, words": {"added_tokens": {"[/e1]": NEXT + 1, "[e1]": NEXT}},
    "special_tokens_map.json": {
        "special_tokens_map": {
            "cls_token": {"content": "[CLS]", **PLAIN, "normalized": False},
            "additional_special_tokens": ["[E1]", "[/E1]"],
        }
    },
    "additional": {"tokenizer_config": {**BERT, "additional_special_tokens": ["[E1]", "☃", "é"]}},
    "extra": {"tokenizer_config": {**BERT, "extra_special_tokens": {"mark_token": "[E1]"}}},
    "role": {"tokenizer_config": {**BERT, "bos_token": "[E1]", "eos_token": "[SEP]"}},
    "cased": {"tokenizer_config": {**BERT, "do_lower_case": False}},
    "cased, accents off": {
        "tokenizer_config": {**BERT, "do_lower_case": False, "strip_accents": True},
    },
    "words that are not split": {
        "tokenizer": ({}, {}),
        "tokenizer_config": {**BERT, "never_split": ["film!", "[E1]"]},
    },
    "whole ideographs": {"tokenizer_config": {"tokenize_chinese_chars": False}},
    "class in config.json": {"config": {"model_type": "bert", "tokenizer_class": "BertTokenizer"}},
    "spaces beside": {
        "tokenizer_config": {
            **BERT,
            "added_tokens_decoder": decoder(entry("[E1]", lstrip=True, rstrip=True)),
        }
    },
    "files disagree": {
        "tokenizer": ({"lowercase": True}, {}),
        "tokenizer_config": {**BERT, "do_lower_case": False},
    },
    "files disagree on accents": {
        "tokenizer": ({"strip_accents": False}, {}),
        "tokenizer_config": {**BERT, "strip_accents": None, "tokenize_chinese_chars": False},
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_ids_are_those_of_the_reference(tmp_path, name):
    ours, theirs = both(layout(tmp_path, **LAYOUTS[name]))
    assert ours == theirs


@pytest.mark.parametrize("name", ["tokenizer.json", "decoder", "added_tokens.json, special"])
def test_added_tokens_have_their_ids(tmp_path, name):
    ours, _ = both(layout(tmp_path, **LAYOUTS[name]))
    assert [i for i in ours[0] if i >= NEXT] == [NEXT, NEXT + 1]


def test_built_in_special_tokens_stay_text(tmp_path):
    own = [{"id": i, **entry(VOCABULARY[i])} for i in range(5)]
    folder = layout(tmp_path, ({}, {"added_tokens": [*own, *IN_TOKENIZER]}))
    wordpiece = WordPiece.from_folder(folder)
    found = wordpiece(["[SEP][E1][MASK] [CLS]"]).to_list()[0]
    assert NEXT in found
    assert not {2, 3, 4} & set(found)


REFUSED = [
    ({"tokenizer_config": {"tokenizer_class": "RobertaTokenizer"}}, "RobertaTokenizer"),
    ({"config": {"tokenizer_class": "BertJapaneseTokenizer"}}, r"config\.json.*BertJapanese"),
    ({"tokenizer_config": {"tokenizer_class": "PreTrainedTokenizerFast"}}, r"no tokenizer\.json"),
    ({"tokenizer_config": {"auto_map": {"AutoTokenizer": ["a.B", None]}}}, "auto_map"),
    ({"tokenizer_config": {"do_basic_tokenize": False}}, "do_basic_tokenize False"),
    ({"tokenizer_config": {"do_lower_case": "no"}}, "do_lower_case 'no'"),
    ({"tokenizer_config": {"never_split": ["[SEP]", "foo"]}}, "never_split 'foo'"),
    ({"tokenizer_config": {"padding_side": "left"}}, "padding_side 'left'"),
    (
        {
            "tokenizer_config": {
                "split_special_tokens": True,
                "added_tokens_decoder": decoder(entry("x1", special=True)),
            }
        },
        "split_special_tokens True, which is not supported with 'x1'",
    ),
    ({"tokenizer_config": {"cls_token": "<s>"}}, r"tokenizer_config\.json has cls_token '<s>'"),
    ({"special_tokens_map": {"unk_token": {"content": "?"}}}, r"tokens_map\.json has unk_token"),
    (
        {"tokenizer_config": {"added_tokens_decoder": decoder(entry("x1", single_word=True))}},
        "'x1' with single_word",
    ),
    ({"tokenizer_config": {"added_tokens_decoder": {"9999": entry("x1")}}}, f"9999.*be {NEXT}"),
    ({"tokenizer_config": {"added_tokens_decoder": {"0": entry("x1")}}}, "'x1' with id 0"),
    ({"tokenizer_config": {"added_tokens_decoder": {"x": "y"}}}, "can't be read"),
    ({"tokenizer_config": {"additional_special_tokens": [7]}}, "no string"),
    (
        {"tokenizer": ({}, {"added_tokens": IN_TOKENIZER[:1]}), "added_tokens": {"x1": NEXT}},
        r"added_tokens\.json adds 'x1', which tokenizer\.json does not",
    ),
    (
        {
            "tokenizer": ({}, {"added_tokens": IN_TOKENIZER}),
            "tokenizer_config": {"added_tokens_decoder": decoder(MARKS[0])},
        },
        r"tokenizer\.json and a tokenizer_config\.json that add different tokens.*'\[/E1\]'",
    ),
    ({"tokenizer": ({}, {"padding": {"direction": "Left"}})}, "pads on the left"),
    (
        {"tokenizer": ({}, {"post_processor": {"type": "RobertaProcessing"}})},
        "RobertaProcessing",
    ),
    (
        {"tokenizer": ({}, {"post_processor": {"type": "TemplateProcessing", "single": []}})},
        "TemplateProcessing",
    ),
]


@pytest.mark.parametrize(("files", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_not_followed_is_refused_by_name(tmp_path, files, message):
    with pytest.raises(UserError, match=message) as caught:
        WordPiece.from_folder(layout(tmp_path, **files))
    assert "`encoder`" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"padding": ["Left"]},
        {"post_processor": {"type": "BertProcessing", "cls": []}},
        {"post_processor": {"type": "TemplateProcessing", "single": [1]}},
        {"post_processor": {"cls": ["[CLS]"]}},
        {"added_tokens": ["[E1]"]},
        {"model": {"type": "WordPiece", "vocab": ["a"]}},
        {"model": {"type": ["WordPiece"]}},
    ],
)
def test_parts_of_the_wrong_type_are_reported_in_a_line(tmp_path, changes):
    with pytest.raises(UserError, match=r"tokenizer\.json can't be read: a part .*Error") as caught:
        read_tokenizer(layout(tmp_path, tokenizer=({}, changes)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "messages"),
    [
        (LAYOUTS["decoder and tokenizer.json"], []),
        (LAYOUTS["files disagree"], ["do_lower_case False"]),
        ({"tokenizer": ({"lowercase": False}, {})}, ["lowercase False", "strip_accents False"]),
        ({"tokenizer_config": {"truncation_side": "left"}}, ["truncation=tail"]),
        ({"tokenizer": ({}, {"model": {"type": "WordPiece", "vocab": {}}})}, ["vocab.txt"]),
    ],
)
def test_differences_between_files_are_reported(tmp_path, caplog, files, messages):
    folder = layout(tmp_path, **files)
    if messages == ["vocab.txt"]:
        other = [*VOCABULARY[:-1], "other"]
        (folder / "vocab.txt").write_text("\n".join(other) + "\n", encoding="utf-8")
        layout(tmp_path, tokenizer=({}, {}), vocabulary=False)
    caplog.set_level(logging.WARNING)
    WordPiece.from_folder(folder)
    found = [record.getMessage() for record in caplog.records]
    assert len(found) == len(messages), found
    for message, line in zip(messages, found, strict=True):
        assert message in line
