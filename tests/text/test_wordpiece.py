import random
import subprocess
import sys
import textwrap

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.text.wordpiece import WordPiece
from tests.matrix import examples, matrix
from tests.text.mixtures import MARKS, mixtures
from tests.text.reference import ids_of, reference, small_vocabulary

SETTINGS = [
    {"lowercase": True, "strip_accents": True, "split_chinese": True},
    {"lowercase": True, "strip_accents": False, "split_chinese": True},
    {"lowercase": False, "strip_accents": True, "split_chinese": True},
    {"lowercase": False, "strip_accents": False, "split_chinese": True},
    {"lowercase": True, "strip_accents": True, "split_chinese": False},
]
DEFAULT = [SETTINGS[0], SETTINGS[3]]
VOCABULARY = small_vocabulary()
CHARACTERS = st.one_of(
    st.sampled_from(sorted({c for token in VOCABULARY for c in token})),
    st.sampled_from(MARKS),
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("\0\t\n\v\f\r\x1c\x85\xa0\xad\u200b\u2028\u3000\ufeff\ufffd\ufffe "),
)


def _named(keys: dict) -> str:
    return "-".join(name for name, on in keys.items() if on) or "none"


@pytest.fixture(scope="module")
def both():
    """Return a function from settings to (WordPiece, the reference) with the small vocabulary."""
    made = {}

    def get(**keys):
        name = tuple(keys.items())
        if name not in made:
            made[name] = WordPiece(vocabulary=VOCABULARY, **keys), reference(VOCABULARY, **keys)
        return made[name]

    return get


@pytest.mark.parametrize("keys", matrix(SETTINGS, default=SETTINGS[:1]), ids=_named)
def test_every_code_point_is_normalized_as_the_reference_does(both, keys):
    wordpiece, tokenizer = both(**keys)
    points = [p for p in range(0x110000) if not 0xD800 <= p <= 0xDFFF]
    # Beyond U+32000 nearly all are treated alike: every 31st, and all near the bounds of planes.
    points = [p for p in points if p < 0x32000 or p % 31 == 0 or (p + 0x200) % 0x10000 < 0x400]
    texts = [
        " ".join(f"a{chr(p)}b" for p in points[i : i + 512]) for i in range(0, len(points), 512)
    ]
    texts += [f"a{chr(p)}b" for p in range(128)]  # ASCII has a faster code path
    for text, found in zip(texts, wordpiece.words(texts).to_list(), strict=True):
        normal = tokenizer.normalizer.normalize_str(text)
        want = [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal)]
        assert [word.decode() for word in found] == want


@pytest.mark.parametrize("keys", matrix(SETTINGS, default=DEFAULT), ids=_named)
def test_ids_of_any_strings_equal_the_reference(both, keys):
    wordpiece, tokenizer = both(**keys)

    @examples(30)
    @given(st.lists(st.text(CHARACTERS, max_size=40), min_size=1, max_size=30))
    def check(texts):
        assert wordpiece([t.encode() for t in texts]).to_list() == ids_of(tokenizer, texts)

    check()


@pytest.mark.parametrize("keys", matrix(SETTINGS, default=DEFAULT), ids=_named)
def test_marks_are_reordered_as_in_the_reference(both, keys):
    wordpiece, tokenizer = both(**keys)
    source = random.Random(0)
    texts = ["".join(source.choices([*MARKS, "a", "中", " "], k=12)) for _ in range(5000)]
    found = wordpiece.words(texts).to_list()
    for text, words in zip(texts, found, strict=True):
        normal = tokenizer.normalizer.normalize_str(text)
        want = [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal)]
        assert [word.decode() for word in words] == want


def test_generated_texts_equal_the_reference(both):
    wordpiece, tokenizer = both(lowercase=True)
    texts = list(mixtures(VOCABULARY, 3000, random.Random(1)))
    assert wordpiece(texts).to_list() == ids_of(tokenizer, texts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\t\r\n",
        "\0",
        "a\0b",
        "ΣΊΣΥΦΟΣ ΟΔΟΣ Σ",
        "İI ıi",
        "ö ö ö",
        "한국어",
        "中文a字",
        "😀🏽",
        "a" * 100,
        "a" * 101,
        "é" * 100,
        "é" * 101,
        "ö" * 101,
        "𠀀" * 100,
        "㍿" * 100,
        "中" * 300,
        "a" * 10_000,
    ],
    ids=lambda text: ascii(text)[:16],
)
@pytest.mark.parametrize("lowercase", [True, False])
def test_awkward_text_equals_the_reference(both, text, lowercase):
    wordpiece, tokenizer = both(lowercase=lowercase)
    assert wordpiece([text, "a"]).to_list() == ids_of(tokenizer, [text, "a"])


def test_special_tokens_in_a_text_are_ordinary_text(both):
    wordpiece, tokenizer = both(lowercase=False)
    texts = ["[SEP]", "a[CLS]b", "[MASK] [PAD] [UNK]", "[sep]", "[ SEP ]"]
    found = wordpiece(texts).to_list()
    assert found == ids_of(tokenizer, texts)
    assert VOCABULARY.index("[SEP]") not in found[0]
    assert [VOCABULARY[i] for i in found[0]] == ["[", "SEP", "]"]


@pytest.mark.parametrize(
    "broken", [b"a\xffb", b"a\xed\xa0\x80b", b"a\xc3", b"\x80a", b"a\xf5\x80b", b"a\xe4\xb8"]
)
def test_invalid_utf8_becomes_the_replacement_character(both, broken):
    wordpiece, tokenizer = both(lowercase=True)
    read = broken.decode("utf-8", "replace")
    assert wordpiece(tf.constant([broken])).to_list() == ids_of(tokenizer, [read])


def test_lone_surrogate_is_dropped(both):
    wordpiece, _ = both(lowercase=True)
    text = "a\ud800b\udfff".encode("utf-8", "surrogatepass")
    assert wordpiece(tf.constant([text])).to_list() == wordpiece(["ab"]).to_list()


def test_empty_batch_gives_an_empty_batch(both):
    wordpiece, _ = both(lowercase=True)
    found = wordpiece(tf.zeros([0], tf.string))
    assert found.dtype == tf.int32
    assert found.to_list() == []


@pytest.mark.matrix
def test_parallel_map_equals_one_call(both):
    wordpiece, _ = both(lowercase=True)
    texts = [t.encode() for t in mixtures(VOCABULARY, 200, random.Random(2)) if t.isprintable()]
    data = tf.data.Dataset.from_tensor_slices(texts).batch(7)
    batches = data.map(wordpiece, num_parallel_calls=4)
    assert [ids for batch in batches for ids in batch.to_list()] == wordpiece(texts).to_list()


@pytest.mark.process
def test_locale_of_the_process_changes_nothing(both):
    wordpiece, _ = both(lowercase=True)
    texts = ["III iii İİ ıI Ì IS", "III IS"]
    program = f"""
        from ftkeras.text.wordpiece import WordPiece
        from tests.text.reference import small_vocabulary
        print(WordPiece(vocabulary=small_vocabulary())({texts!r}).to_list())
    """
    turkish = {"LC_ALL": "tr_TR.UTF-8", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-X", "utf8", "-c", textwrap.dedent(program)]
    run = subprocess.run(command, env=turkish, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(wordpiece(texts).to_list())


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        (["[PAD]", "[CLS]", "[SEP]"], r"without \[UNK\]"),
        (["a"], r"without \[PAD\], \[UNK\], \[CLS\], \[SEP\]"),
        (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "a"], r"Received: 'a' 2 times"),
        (["[PAD]", "[UNK]", "[CLS]", "[SEP]", ""], r"Received: ''"),
        (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ก" * 86], "at most 256 bytes.* 258 bytes, 'กก"),
    ],
)
def test_invalid_vocabulary_is_refused(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        WordPiece(vocabulary=vocabulary)


def test_special_ids_are_those_of_the_vocabulary():
    wordpiece = WordPiece(vocabulary=["a", "[SEP]", "[UNK]", "[CLS]", "[PAD]"])
    assert (wordpiece.pad_id, wordpiece.unknown_id) == (4, 2)
    assert (wordpiece.cls_id, wordpiece.sep_id) == (3, 1)
    assert wordpiece(["a b"]).to_list() == [[0, 2]]
