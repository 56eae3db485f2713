import json
import random

import pytest
from transformers import AutoTokenizer

from ftkeras.errors import UserError
from ftkeras.text.wordpiece import WordPiece
from tests.text.mixtures import mixtures
from tests.text.reference import ids_of, reference, small_vocabulary

VOCABULARY = small_vocabulary()


def _tokenizer_json(folder, change=None, **keys):
    """Write a checkpoint's tokenizer.json, after `change` was applied to its content."""
    content = json.loads(reference(VOCABULARY, **keys).to_str())
    if change:
        change(content)
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def _files(folder, config=None, vocabulary=VOCABULARY):
    """Write a checkpoint's older files."""
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _settings(wordpiece):
    return wordpiece.lowercase, wordpiece.strip_accents, wordpiece.split_chinese


@pytest.mark.parametrize(
    ("keys", "settings"),
    [
        ({"lowercase": True, "strip_accents": None}, (True, True, True)),
        ({"lowercase": False, "strip_accents": None}, (False, False, True)),
        ({"lowercase": True, "strip_accents": False}, (True, False, True)),
        ({"lowercase": False, "strip_accents": True, "split_chinese": False}, (False, True, False)),
    ],
)
def test_tokenizer_json_settings_are_followed(tmp_path, keys, settings):
    # Its vocabulary goes before vocab.txt; its settings hold if tokenizer_config.json has none.
    _files(tmp_path, {"tokenizer_class": "BertTokenizer"}, ["other"])
    wordpiece = WordPiece.from_folder(_tokenizer_json(tmp_path, **keys))
    assert wordpiece.vocabulary == tuple(VOCABULARY)
    assert _settings(wordpiece) == settings


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (None, (True, True, True)),
        ({}, (True, True, True)),
        ({"do_lower_case": False}, (False, False, True)),
        ({"do_lower_case": True, "strip_accents": False}, (True, False, True)),
        ({"tokenize_chinese_chars": False, "strip_accents": None}, (True, True, False)),
    ],
)
def test_tokenizer_config_settings_are_followed(tmp_path, config, settings):
    wordpiece = WordPiece.from_folder(_files(tmp_path, config))
    assert wordpiece.vocabulary == tuple(VOCABULARY)
    assert _settings(wordpiece) == settings


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "unended"])
def test_vocabulary_file_reads_with_any_line_end(tmp_path, end, last):
    tokens = [*VOCABULARY, "\u2028", "\x85"]
    path = tmp_path / "vocab.txt"
    path.write_bytes((end.join(tokens) + (end if last else "")).encode())
    assert WordPiece.from_vocabulary(path).vocabulary == tuple(tokens)
    assert not WordPiece.from_vocabulary(path, lowercase=False).lowercase


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip_accents", [True, False])
def test_saved_files_read_back_here_and_in_transformers(tmp_path, lowercase, strip_accents):
    saved = WordPiece(vocabulary=VOCABULARY, lowercase=lowercase, strip_accents=strip_accents)
    saved.save(tmp_path / "new")
    again = WordPiece.from_folder(tmp_path / "new")
    assert again.vocabulary == saved.vocabulary
    assert _settings(again) == _settings(saved)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "new", local_files_only=True)
    texts = list(mixtures(VOCABULARY[5:], 300, random.Random(3)))
    texts += ["hi [SEP] there [CLS] [MASK]", "[PAD] hi", "[UNK]"]
    assert again(texts).to_list() == theirs(texts, add_special_tokens=False)["input_ids"]


def test_save_beside_a_tokenizer_json_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        WordPiece(vocabulary=VOCABULARY).save(_tokenizer_json(tmp_path))


def test_save_of_a_token_with_a_line_end_is_refused(tmp_path):
    with pytest.raises(ValueError, match="line end"):
        WordPiece(vocabulary=[*VOCABULARY, "a\nb"]).save(tmp_path)


def _set(*path, value):
    def change(content):
        for name in path[:-1]:
            content = content[name]
        content[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("model", "type", value="BPE"), "model BPE"),
        (lambda content: content["model"].update(type=None, merges=[]), "model BPE"),
        (_set("normalizer", value={"type": "NFC"}), "normalizer NFC"),
        (_set("normalizer", value=None), "normalizer none"),
        (_set("pre_tokenizer", "type", value="Metaspace"), "pre_tokenizer Metaspace"),
        (_set("normalizer", "clean_text", value=False), "clean_text off"),
        (_set("model", "continuing_subword_prefix", value="@@"), "'@@'"),
        (_set("model", "max_input_chars_per_word", value=50), "50"),
        (_set("added_tokens", value=[{"content": "wow", "id": 9, "special": False}]), "wow"),
        (_set("model", "vocab", "a", value=9999), "id"),
        (_set("model", "vocab", "a", value=0), "id"),
        (_set("model", "vocab", value={"a": 0}), "without"),
    ],
)
def test_tokenizer_json_of_another_kind_is_named(tmp_path, change, message):
    with pytest.raises(UserError, match=message) as caught:
        WordPiece.from_folder(_tokenizer_json(tmp_path, change))
    assert "`encoder`" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_special_added_tokens_are_ignored(tmp_path):
    added = [{"content": "[SEP]", "id": 3, "special": True}]
    folder = _tokenizer_json(tmp_path, _set("added_tokens", value=added))
    assert WordPiece.from_folder(folder)(["[SEP]"]).to_list() == ids_of(
        reference(VOCABULARY), ["[SEP]"]
    )


def test_folder_without_tokenizer_files_is_named(tmp_path):
    with pytest.raises(UserError, match=r"`encoder`.*vocab\.txt"):
        WordPiece.from_folder(tmp_path)


def test_broken_files_are_named(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="UTF-8"):
        WordPiece.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(UserError, match="JSON"):
        WordPiece.from_folder(tmp_path)
    with pytest.raises(UserError, match=r"`encoder`.*absent\.txt"):
        WordPiece.from_vocabulary(tmp_path / "absent.txt")


@pytest.mark.parametrize("special", [True, False])
def test_added_token_with_the_id_of_another_one_is_refused(tmp_path, special):
    added = {"5": {"content": "wow", "special": special}}
    with pytest.raises(UserError, match="wow"):
        WordPiece.from_folder(_files(tmp_path, {"added_tokens_decoder": added}))


def test_vocabulary_file_with_a_repeated_token_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"'a' 2 times"):
        WordPiece.from_folder(_files(tmp_path, vocabulary=[*VOCABULARY, "a"]))
