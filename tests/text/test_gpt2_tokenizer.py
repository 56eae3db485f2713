"""GPT-2's tokenizer: no special tokens around texts, and <|endoftext|> pads."""

import json

import pytest
import transformers

from ftkeras.errors import UserError
from ftkeras.text.byte_pair import BytePair
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.tail import Tail
from tests.text.byte_pair_reference import SPECIALS, reference, small_vocabulary

END = "<|endoftext|>"
TEXTS = ["The plot's a mess", " naïve <|endoftext|>  東京", "", "x"]
LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}


def vocabulary():
    """Return a vocabulary by id as GPT-2's, with its only special token at the end."""
    tokens, merges = small_vocabulary()
    return [token for token in tokens if token not in (*SPECIALS, "<mask>")] + [END], merges


def layout(folder, *, backend=False, post_processor=LEVEL, **files):
    """Write vocab.json and merges.txt, or tokenizer.json, and further JSON files."""
    tokens, merges = vocabulary()
    ids = {token: index for index, token in enumerate(tokens)}
    if backend:
        content = json.loads(reference(*small_vocabulary()).to_str())
        content["model"] |= {"vocab": ids, "merges": [" ".join(pair) for pair in merges]}
        token = {"id": ids[END], "content": END, "special": True, "normalized": True}
        options = dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
        content |= {"post_processor": post_processor, "added_tokens": [token | options]}
        (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    else:
        (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
        lines = ["#version: 0.2", *map(" ".join, merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


MODEL = {"config": {"model_type": "gpt2"}}
CLASS = {"tokenizer_config": {"tokenizer_class": "GPT2TokenizerFast", "pad_token": END}}
LAYOUTS = {
    "files alone": {},
    "published": MODEL,
    "published tokenizer.json": {**MODEL, "backend": True},
    "class": CLASS,
    "any class": {
        "tokenizer_config": {"tokenizer_class": "PreTrainedTokenizerFast"},
        "backend": True,
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_ids_are_those_of_transformers(tmp_path, name):
    ours = read_tokenizer(layout(tmp_path, **LAYOUTS[name]))
    assert (ours.specials, ours.special_ids, ours.pad_id) == ((0, 0), (), len(ours.vocabulary) - 1)
    if name == "files alone":  # transformers needs a name
        (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    texts = [TEXTS[0], TEXTS[1].replace(END, ""), *TEXTS[2:]]
    wanted = theirs(texts, texts[::-1])["input_ids"]
    assert ours.frame(ours(texts), ours(texts[::-1]))["token_ids"].to_list() == wanted
    single = theirs(TEXTS, split_special_tokens=True)["input_ids"]
    assert ours(TEXTS).to_list() == single


def test_empty_texts_are_a_space():
    tokens, merges = vocabulary()
    ours = BytePair(vocabulary=tokens, merges=merges, style="gpt2")
    space = [tokens.index("Ġ")]
    assert ours.frame(ours(["", "x"]))["token_ids"].to_list() == [space, [tokens.index("x")]]
    assert ours.frame(ours([""]), ours([""]))["segment_ids"].to_list() == [[0]]


def test_truncation_keeps_whole_texts_without_special_tokens():
    tokens, merges = vocabulary()
    ours = BytePair(vocabulary=tokens, merges=merges, style="gpt2")
    ids = TextLayer(tokenizer=ours, truncation=Tail(), max_length=3)(["a b c d", "e"])["token_ids"]
    names = [[tokens[i].removeprefix("Ġ") for i in row] for row in ids.to_list()]
    assert names == [["b", "c", "d"], ["e"]]


@pytest.mark.parametrize("name", ["class", "any class"])
def test_written_files_are_read_as_the_same_tokenizer(tmp_path, name):
    (tmp_path / "source").mkdir()
    ours = read_tokenizer(layout(tmp_path / "source", **LAYOUTS[name]))
    ours.save(tmp_path, max_length=48)
    again = read_tokenizer(tmp_path)
    assert (again.vocabulary, again.identity()) == (ours.vocabulary, ours.identity())
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert (theirs.pad_token, theirs.model_max_length) == (END, 48)
    assert theirs(TEXTS)["input_ids"] == ours(TEXTS).to_list()


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"tokenizer_config": {"pad_token": "[PAD]"}}, ["pad_token '[PAD]'", END]),
        ({"added_tokens": {"[PAD]": 700}}, ["adds '[PAD]'", "added_tokens.json"]),
        ({"tokenizer_config": {"add_bos_token": True}}, ["add_bos_token"]),
        (
            {"backend": True, "post_processor": {"type": "TemplateProcessing", "single": []}},
            ["post_processor (TemplateProcessing)", "as GPT-2 has them"],
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(tmp_path, files, parts):
    with pytest.raises(UserError) as error:
        read_tokenizer(layout(tmp_path, **MODEL, **files))
    for part in ("`encoder`", str(tmp_path), *parts):
        assert part in str(error.value)
