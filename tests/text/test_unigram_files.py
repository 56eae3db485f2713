"""The files of a SentencePiece tokenizer are followed, or refused by name."""

import json

import pytest
import transformers

from ftkeras.errors import UserError
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.unigram import Unigram
from ftkeras.text.wordpiece import WordPiece
from tests.text import untyped
from tests.text.unigram_reference import LANGUAGES, reference, small_model, tokenizer

TEXTS = ["The plot's a mess", "", "a  b", *LANGUAGES]
MODEL = "sentencepiece.bpe.model"


def layout(folder, name="XLMRobertaTokenizer", model=MODEL, tokenizer=None, **files):
    """Write a checkpoint's files; `tokenizer` has changes of tokenizer.json, or is None."""
    if tokenizer is not None:
        reference(folder, small_model(), name).save_pretrained(folder)
        (folder / MODEL).unlink(missing_ok=True)
        (folder / "tokenizer_config.json").unlink()
        content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        for key, value in tokenizer.items():
            part, _, inner = key.partition(".")
            content = content | {part: {**content[part], inner: value} if inner else value}
        (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    for each in [model] if isinstance(model, str) else model:
        (folder / each).write_bytes(small_model())
    for each, content in {"config": {"model_type": "xlm-roberta"}, **files}.items():
        (folder / f"{each}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


CAMEMBERT = {"config": {"model_type": "camembert"}}
GENERIC = {"tokenizer_config": {"tokenizer_class": "TokenizersBackend"}}
# As all-purpose checkpoints have it, paraphrase-multilingual-MiniLM-L12-v2 among them.
FAST = {"tokenizer_config": {"tokenizer_class": "PreTrainedTokenizerFast"}}
LAYOUTS = {
    "model": {},
    "model of CamemBERT": {"name": "CamembertTokenizer", **CAMEMBERT},
    "tokenizer.json": {"model": (), "tokenizer": {}},
    "tokenizer.json of CamemBERT": {
        "model": (), "tokenizer": {}, "name": "CamembertTokenizer", **CAMEMBERT
    },
    "any class": {"model": (), "tokenizer": {}, **GENERIC},
    "any fast class": {"tokenizer": {}, **FAST},
    "any class of CamemBERT": {
        "model": (), "tokenizer": {}, "name": "CamembertTokenizer", **GENERIC
    },
    "both": {"tokenizer": {}, "tokenizer_config": {"tokenizer_class": "XLMRobertaTokenizerFast"}},
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_ids_are_those_of_transformers(tmp_path, name):
    folder = layout(tmp_path, **LAYOUTS[name])
    theirs = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    ours = read_tokenizer(folder)
    assert isinstance(ours, Unigram)
    wanted = theirs(TEXTS, add_special_tokens=False)["input_ids"]
    assert ours(TEXTS).to_list() == wanted
    pairs = theirs(TEXTS, TEXTS[::-1])["input_ids"]
    assert ours.frame(ours(TEXTS), ours(TEXTS[::-1]))["token_ids"].to_list() == pairs


@pytest.mark.parametrize("name", LAYOUTS)
def test_files_from_before_models_had_a_type_are_read(tmp_path, name):
    untyped.require_equal(layout(tmp_path, **LAYOUTS[name]), Unigram, TEXTS)


@pytest.mark.parametrize("name", ["XLMRobertaTokenizer", "CamembertTokenizer"])
def test_written_files_are_read_as_the_same_tokenizer(tmp_path, name):
    ours = tokenizer(small_model(), name)
    ours.save(tmp_path, max_length=48)
    assert (tmp_path / MODEL).read_bytes() == small_model()
    again = Unigram.from_folder(tmp_path)
    assert (again.vocabulary, again.identity()) == (ours.vocabulary, ours.identity())
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert theirs.model_max_length == 48
    pairs = theirs(TEXTS, TEXTS[::-1])
    assert list(pairs) == ["input_ids", "attention_mask"]
    framed = ours.frame(ours(TEXTS), ours(TEXTS[::-1]))
    assert framed["token_ids"].to_list() == pairs["input_ids"]
    (tmp_path / "tokenizer.json").touch()
    with pytest.raises(ValueError, match=r"`folder` must hold no tokenizer\.json"):
        ours.save(tmp_path)


def test_model_rebuilt_from_tokenizer_json_is_saved(tmp_path):
    ours = read_tokenizer(layout(tmp_path, model=(), tokenizer={}))
    target = tmp_path / "saved"
    target.mkdir()
    ours.save(target)
    again = read_tokenizer(target)
    assert again.vocabulary == ours.vocabulary == tokenizer(small_model()).vocabulary
    assert again(TEXTS).to_list() == tokenizer(small_model())(TEXTS).to_list()


def changed_vocabulary(index, piece, score):
    content = tokenizer(small_model())
    pieces = [[token, 0.0] for token in content.vocabulary]
    pieces[index] = [piece, score]
    return {"model.vocab": pieces}


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"tokenizer_config": {"tokenizer_class": "T5Tokenizer"}}, ["'T5Tokenizer'", "Camembert"]),
        ({"config": {"model_type": "xlnet"}}, ["'XLNetTokenizer'"]),
        (GENERIC, ["no tokenizer.json", "TokenizersBackend"]),
        ({"tokenizer_config": {"cls_token": "[CLS]"}}, ["cls_token '[CLS]'", "'<s>'"]),
        ({"tokenizer_config": {"add_prefix_space": False}}, ["add_prefix_space False"]),
        ({"tokenizer_config": {"padding_side": "left"}}, ["padding_side 'left'"]),
        ({"added_tokens": {"[E1]": 700}}, ["adds '[E1]'", "added_tokens.json"]),
        ({"model": [MODEL, "spm.model"]}, [f"both {MODEL} and spm.model"]),
        ({"tokenizer": {"model.byte_fallback": True}}, ["byte_fallback True"]),
        ({"tokenizer": {"model.unk_id": 0}}, ["unk_id 0"]),
        ({"tokenizer": {"model.vocab": []}}, ["empty vocab"]),
        ({"tokenizer": {"model.vocab": ["a"]}}, ["not a list of pieces and scores"]),
        ({"tokenizer": {"normalizer": {"type": "NFC"}}}, ["normalizer NFC"]),
        (
            {"tokenizer": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "?"}}},
            ["precompiled_charsmap that is not base64"],
        ),
        ({"tokenizer": {"normalizer": None}}, ["by different rules"]),
        ({"tokenizer": {"pre_tokenizer": None}}, ["pre_tokenizer none"]),
        (
            {"tokenizer": {"pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "never"}}},
            ["does not put '▁' before words"],
        ),
        (
            {"tokenizer": {}, "name": "CamembertTokenizer"},
            ["('<s>', 0.0) at id 0", "('<s>NOTUSED', 0.0)"],
        ),
        (
            {"tokenizer": {}, "name": "CamembertTokenizer", "model": ()},
            ["from <s>NOTUSED, <pad>", "only one from <s>, <pad>, </s>, <unk>"],
        ),
        ({"tokenizer": changed_vocabulary(4, "?", 0.0)}, ["at id 4", "('?', 0.0)"]),
        ({"tokenizer": {"model.type": "BPE"}}, ["SentencePiece model and a tokenizer.json", "BPE"]),
        ({"tokenizer": {"post_processor": None}, **GENERIC}, ["post_processor (none)"]),
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


def test_file_that_is_no_model_is_refused(tmp_path):
    (layout(tmp_path) / MODEL).write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(UserError, match="must be a SentencePiece model"):
        read_tokenizer(tmp_path)


def test_class_says_which_of_two_vocabularies_counts(tmp_path):
    layout(tmp_path, config={})
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n")
    with pytest.raises(UserError, match="vocab.txt and a SentencePiece model"):
        read_tokenizer(tmp_path)
    for name, kind in (("XLMRobertaTokenizer", Unigram), ("BertTokenizer", WordPiece)):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
        assert isinstance(read_tokenizer(tmp_path), kind)
