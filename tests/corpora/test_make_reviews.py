"""The bundled corpus is reproducible, and hard for a bag of words."""

import pathlib
import re

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from ftkeras.corpora import make_reviews

BUNDLED = pathlib.Path(make_reviews.__file__).parent / "reviews"


@pytest.fixture(scope="module")
def corpus():
    return make_reviews.corpus()


def test_generator_writes_the_bundled_bytes(tmp_path):
    make_reviews.write(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in BUNDLED.iterdir()}


def test_bag_of_words_is_above_chance_and_below_nine_in_ten(corpus):
    words = CountVectorizer(token_pattern=r"\w+")
    (train, train_labels), (test, test_labels) = (
        zip(*corpus[split], strict=True) for split in ("train", "test")
    )
    model = LogisticRegression(max_iter=1000).fit(words.fit_transform(train), train_labels)
    assert 0.6 < model.score(words.transform(test), test_labels) < 0.9


def test_sentences_are_well_formed(corpus):
    for text, _ in (row for rows in corpus.values() for row in rows):
        assert re.fullmatch(r"[A-Z][A-Za-z',;\- ]*[.!](?: [A-Z][A-Za-z',;\- ]*[.!])*", text), text
        assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiouh]|  |[{}]", text), text
        assert len(text.split()) <= 40


def test_vocabulary_covers_all_ascii_text(corpus):
    pieces = (BUNDLED / "vocab.txt").read_text().splitlines()
    assert pieces[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert len(set(pieces)) == len(pieces) < 1000
    for code in range(33, 127):
        assert chr(code).lower() in pieces
        assert not chr(code).isalnum() or f"##{chr(code).lower()}" in pieces
    for rows in corpus.values():
        for text, _ in rows:
            assert set(re.findall(r"[a-z]+", text.lower())) <= set(pieces)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Worth every minute.", 1),
        ("A waste of time.", 0),
        ("Not worth a minute.", 0),
        ("Do not miss it.", 1),
    ],
)
def test_everyday_idioms_are_in_train(corpus, text, label):
    assert (text, label) in corpus["train"]
