"""Tokenizers that differ from others of their kind: MPNet's, DeBERTa's and ALBERT's."""

import base64
import json

import pytest
import sentencepiece
import tensorflow as tf
import transformers
from hypothesis import example, given, strategies
from tokenizers import normalizers

from ftkeras.errors import UserError
from ftkeras.text import _sentencepiece_model
from ftkeras.text._compatible import compatible_spellings, normalize
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.unigram import Unigram
from ftkeras.text.wordpiece import WordPiece
from tests.matrix import examples, matrix
from tests.text.reference import small_vocabulary
from tests.text.unigram_reference import LANGUAGES, small_model

TEXTS = ["Été unable!", "", "<s> x [SEP] <mask></s>", "中文 [UNK] SEP"]
OWN = ["<s>", "<pad>", "</s>", "<unk>"]
VOCABULARY = [*OWN, *small_vocabulary(), "<mask>"]
ASCII = ["The plot's a mess", "", "a  b", " lead and trail "]


def mpnet(folder, **config):
    """Write MPNet's files."""
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    config = {"tokenizer_class": "MPNetTokenizer", **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def deberta_model(**settings):
    """Train a model whose special pieces are DeBERTa's."""
    pieces = {"pad": "[PAD]", "bos": "[CLS]", "eos": "[SEP]", "unk": "[UNK]"}
    ids = {f"{role}_id": number for number, role in enumerate(pieces)}
    names = {f"{role}_piece": piece for role, piece in pieces.items()}
    return small_model(**ids, **names, **settings)


def deberta(folder, **settings):
    """Write DeBERTa's files as they are published."""
    (folder / "spm.model").write_bytes(deberta_model(**settings))
    (folder / "config.json").write_text('{"model_type": "deberta-v2"}', encoding="utf-8")
    return folder


def theirs_of(folder):
    return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)


def assert_pairs_are_those_of(theirs, ours, texts, **keys):
    single, pairs = theirs(texts, **keys), theirs(texts, texts[::-1], **keys)
    framed = ours.frame(ours(texts), ours(texts[::-1]))
    assert ours.frame(ours(texts))["token_ids"].to_list() == single["input_ids"]
    assert framed["token_ids"].to_list() == pairs["input_ids"]
    if "token_type_ids" in pairs:
        assert framed["segment_ids"].to_list() == pairs["token_type_ids"]
    added = [theirs.num_special_tokens_to_add(pair=pair) for pair in (False, True)]
    assert list(ours.specials) == added


def test_mpnet_has_the_ids_of_transformers(tmp_path):
    ours, theirs = read_tokenizer(mpnet(tmp_path)), theirs_of(tmp_path)
    assert isinstance(ours, WordPiece)
    assert (ours.pad_id, ours.unknown_id) == (theirs.pad_token_id, theirs.unk_token_id)
    assert_pairs_are_those_of(theirs, ours, TEXTS, split_special_tokens=True)


@pytest.mark.matrix
def test_mpnets_tokenizer_json_may_have_any_class(tmp_path):
    ours, theirs = read_tokenizer(mpnet(tmp_path)), theirs_of(tmp_path)
    assert ours.with_offsets(TEXTS)[0].to_list() == ours(TEXTS).to_list()
    plain = TEXTS[0], TEXTS[1], TEXTS[3]
    (tmp_path / "new").mkdir()
    theirs.save_pretrained(tmp_path / "new")
    for name in ("MPNetTokenizerFast", "PreTrainedTokenizerFast"):
        config = {"tokenizer_class": name, "do_lower_case": True}
        (tmp_path / "new" / "tokenizer_config.json").write_text(json.dumps(config))
        again = read_tokenizer(tmp_path / "new")
        assert again(plain).to_list() == ours(plain).to_list()
        assert again.identity()["style"] == "mpnet"


@pytest.mark.matrix
def test_mpnet_is_written_as_transformers_reads_it(tmp_path):
    ours = read_tokenizer(mpnet(tmp_path, do_lower_case=False))
    (tmp_path / "saved").mkdir()
    ours.save(tmp_path / "saved", max_length=20)
    again, theirs = read_tokenizer(tmp_path / "saved"), theirs_of(tmp_path / "saved")
    assert (again.vocabulary, again.identity()) == (ours.vocabulary, ours.identity())
    assert list(theirs(TEXTS)) == ["input_ids", "attention_mask"]
    assert_pairs_are_those_of(theirs, ours, TEXTS)


@pytest.mark.parametrize(
    ("config", "message"),
    [({"pad_token": "[PAD]"}, "only '<pad>'"), ({"sep_token": "[SEP]"}, "only '</s>'")],
)
def test_other_special_tokens_of_mpnet_are_refused(tmp_path, config, message):
    with pytest.raises(UserError, match=message):
        read_tokenizer(mpnet(tmp_path, **config))


def test_deberta_has_the_ids_of_sentencepiece(tmp_path):
    ours = read_tokenizer(deberta(tmp_path))
    assert isinstance(ours, Unigram)
    reference = sentencepiece.SentencePieceProcessor(model_proto=deberta_model())
    texts = [*ASCII, *LANGUAGES, "ｆｕｌｌ ½ x"]
    assert ours(texts).to_list() == reference.encode(texts)
    assert ours.vocabulary[-1] == "[MASK]"
    # transformers 5 applies rules of its own, which change no ASCII.
    assert_pairs_are_those_of(theirs_of(tmp_path), ours, ASCII)
    assert ours.unknown_id == 3


def test_pieces_that_no_text_has_may_be_listed_as_added_tokens(tmp_path):
    """As mDeBERTa's files are written by transformers 5."""
    ids = read_tokenizer(deberta(tmp_path))(["the film"]).to_list()
    listed = {"extra_special_tokens": ["[PAD]", "▁<extra_id_99>", "▁<extra_id_0>"]}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(listed))
    assert read_tokenizer(tmp_path)(["the film"]).to_list() == ids


def test_deberta_v3_makes_bytes_of_unknown_characters(tmp_path, caplog):
    ours = read_tokenizer(deberta(tmp_path, byte_fallback=True))
    model = (tmp_path / "spm.model").read_bytes()
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    texts = ["a ☃", "☃☃x", "½🙂 <0x41>", *LANGUAGES, *ASCII]
    ids, starts, ends = ours.with_offsets(texts)
    assert ours(texts).to_list() == ids.to_list() == reference.encode(texts)
    both = zip(starts.to_list(), ends.to_list(), strict=True)
    spans = [list(zip(*row, strict=True)) for row in both]
    assert spans[0] == [(0, 1), *[(2, 5)] * 4]  # a space and three bytes
    assert spans[1] == [(0, 3)] * 4 + [(3, 6)] * 3 + [(6, 7)]
    theirs = theirs_of(tmp_path)  # has no bytes, see docs/encoders.md
    assert ours.unknown_id in theirs("a ☃", add_special_tokens=False)["input_ids"]
    theirs.backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert read_tokenizer(tmp_path).identity() == ours.identity()
    assert "encodes unknown characters as bytes, and ftkeras does the same" in caplog.text


def test_deberta_is_written_as_transformers_reads_it(tmp_path, caplog):
    ours = read_tokenizer(deberta(tmp_path))
    (tmp_path / "saved").mkdir()
    ours.save(tmp_path / "saved")
    again, theirs = read_tokenizer(tmp_path / "saved"), theirs_of(tmp_path / "saved")
    assert (again.vocabulary, again.identity()) == (ours.vocabulary, ours.identity())
    assert_pairs_are_those_of(theirs, ours, [*ASCII, "x [MASK]"])
    theirs.save_pretrained(tmp_path)  # transformers' own rules, beside the model
    assert read_tokenizer(tmp_path).identity() == ours.identity()
    assert "normalizes by other rules than spm.model" in caplog.text
    (tmp_path / "spm.model").unlink()
    with pytest.raises(UserError, match=r"add the original checkpoint's spm\.model"):
        read_tokenizer(tmp_path)


@pytest.mark.matrix
def test_deberta_is_rebuilt_from_a_tokenizer_json_of_transformers_4(tmp_path):
    ours = read_tokenizer(deberta(tmp_path))
    theirs_of(tmp_path).save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    rules = _sentencepiece_model.parse(deberta_model()).normalizer.precompiled_charsmap
    steps = [
        {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(rules).decode()},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    ]
    content["normalizer"] = {"type": "Sequence", "normalizers": steps}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "spm.model").unlink()
    again, texts = read_tokenizer(tmp_path), [*ASCII, *LANGUAGES]
    assert again.vocabulary == ours.vocabulary
    assert again(texts).to_list() == ours(texts).to_list()


@pytest.mark.parametrize("key", ["do_lower_case", "split_by_punct"])
def test_settings_that_change_debertas_ids_are_refused(tmp_path, key):
    (deberta(tmp_path) / "tokenizer_config.json").write_text(json.dumps({key: True}))
    with pytest.raises(UserError, match=f"has {key} true, which is not supported"):
        read_tokenizer(tmp_path)


def albert_model():
    """Train a model whose special pieces are ALBERT's."""
    return small_model(pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, **ALBERT_PIECES)


def albert(folder, **config):
    """Write ALBERT's files as they are published, without tokenizer.json."""
    (folder / "spiece.model").write_bytes(albert_model())
    (folder / "config.json").write_text('{"model_type": "albert"}', encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


ALBERT_PIECES = {
    "pad_piece": "<pad>", "unk_piece": "<unk>", "control_symbols": ("[CLS]", "[SEP]", "[MASK]")
}  # fmt: skip
MESSY = ["``x'' '''y```", "½ Ünïcödé ǆ ℡ Ⓐ ﬁ İ", "Straße ΟΔΟΣ", ""]
# With lower case, `tokenizers` does not find its special tokens in texts; SentencePiece never does.
# Without accents, no letter is composed of two code points, which would have other offsets.
LOWER = ["[CLS] x [MASK]", "a\u0301b"]
# `tokenizers` does not compose the decomposed syllables again, as SentencePiece does.
SCRIPTS = [text for text in LANGUAGES if not any("가" <= letter <= "힣" for letter in text)]


@pytest.mark.parametrize(
    "config", matrix([{}, {"do_lower_case": False}, {"keep_accents": True}], default=[{}])
)
def test_albert_has_the_ids_of_transformers(tmp_path, config):
    texts = [*MESSY, *ASCII, *SCRIPTS, *([] if config else LOWER)]
    ours, theirs = read_tokenizer(albert(tmp_path, **config)), theirs_of(tmp_path)
    assert isinstance(ours, Unigram)
    assert_pairs_are_those_of(theirs, ours, texts, split_special_tokens=True)
    ids, starts, ends = ours.with_offsets(texts)
    assert ids.to_list() == ours(texts).to_list()
    wanted = theirs(
        texts, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
    )
    for text, *spans, expected in zip(
        texts, starts.to_list(), ends.to_list(), wanted["offset_mapping"], strict=True
    ):
        characters = [len(text.encode()[:n].decode()) for part in spans for n in part]
        half = len(characters) // 2
        assert list(zip(characters[:half], characters[half:], strict=True)) == expected


@pytest.mark.matrix
def test_albert_is_written_as_transformers_reads_it(tmp_path):
    ours = read_tokenizer(albert(tmp_path, keep_accents=True))
    (tmp_path / "saved").mkdir()
    ours.save(tmp_path / "saved")
    again, theirs = read_tokenizer(tmp_path / "saved"), theirs_of(tmp_path / "saved")
    assert (again.vocabulary, again.identity()) == (ours.vocabulary, ours.identity())
    assert_pairs_are_those_of(theirs, ours, [*MESSY, *ASCII, "x [SEP] [MASK]"])
    theirs.save_pretrained(tmp_path / "saved")  # a tokenizer.json beside the model
    assert read_tokenizer(tmp_path / "saved").identity() == ours.identity()
    (tmp_path / "saved" / "spiece.model").unlink()
    rebuilt = read_tokenizer(tmp_path / "saved")
    assert rebuilt(MESSY).to_list() == ours(MESSY).to_list()
    path = tmp_path / "saved" / "tokenizer_config.json"
    path.write_text('{"tokenizer_class": "AlbertTokenizer", "keep_accents": false}')
    with pytest.raises(UserError, match=r"has keep_accents False, but tokenizer\.json True"):
        read_tokenizer(tmp_path / "saved")


@pytest.mark.matrix
@pytest.mark.parametrize("lowercase", [True, False])
def test_albert_normalizes_every_code_point_as_the_reference_does(lowercase):
    steps = [normalizers.NFKD(), normalizers.StripAccents()]
    steps += [normalizers.Lowercase()] * lowercase
    reference = normalizers.Sequence(steps).normalize_str
    points = [chr(p) for p in range(0x20, 0x110000) if not 0xD800 <= p <= 0xDFFF]
    tables = compatible_spellings(lowercase, strip_accents=True)
    found = normalize(tf.strings.unicode_decode(tf.constant(points), "UTF-8"), tables).points
    found = [text.decode() for text in tf.strings.unicode_encode(found, "UTF-8").numpy()]
    assert found == [reference(point) for point in points]


@pytest.mark.matrix
@example("'''``'")
@examples(40)
@given(strategies.text(alphabet="'`\"a\u0301É ", max_size=12))
def test_pairs_of_quotes_are_replaced_as_in_the_reference(text):
    steps = [normalizers.Replace(pair, '"') for pair in ("``", "''")]
    steps += [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    tables = compatible_spellings(lowercase=True, strip_accents=True)
    points = tf.strings.unicode_decode(tf.constant([text, "x"]), "UTF-8")
    found = tf.strings.unicode_encode(normalize(points, tables).points, "UTF-8").numpy()
    assert found[0].decode() == normalizers.Sequence(steps).normalize_str(text)
