import random

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from tokenizers import Tokenizer

from ftkeras.text.wordpiece import WordPiece
from tests.text.mixtures import mixtures
from tests.text.reference import ids_of, reference

VOCABULARIES = {
    "uncased": True,
    "cased": False,
    "chinese": True,
    "multilingual-cased": False,
}


@pytest.fixture(scope="module")
def published(shared_data):
    """Return a function from a name to (WordPiece, the reference) with a published vocabulary."""

    def get(name):
        path = shared_data / "vocab" / f"bert-base-{name}-vocab.txt"
        wordpiece = WordPiece.from_vocabulary(path, lowercase=VOCABULARIES[name])
        return wordpiece, reference(wordpiece.vocabulary, lowercase=VOCABULARIES[name])

    return get


@pytest.mark.real_data
@pytest.mark.parametrize("name", VOCABULARIES)
def test_generated_texts_equal_the_reference(published, name):
    wordpiece, tokenizer = published(name)
    texts = list(mixtures(wordpiece.vocabulary, 3000, random.Random(0)))
    assert wordpiece(texts).to_list() == ids_of(tokenizer, texts)


# For all 100,000 reviews run benchmarks/wordpiece.py --verify.
@pytest.mark.real_data
@pytest.mark.parametrize("name", ["uncased", "cased"])
def test_reviews_equal_the_reference(published, shared_data, name):
    wordpiece, tokenizer = published(name)
    data = tfds.load("imdb_reviews", split="test", data_dir=shared_data / "tfds", download=False)
    for batch in data.take(2000).batch(500):
        texts = [text.decode() for text in batch["text"].numpy()]
        assert wordpiece(batch["text"]).to_list() == ids_of(tokenizer, texts)


@pytest.mark.real_data
def test_checkpoint_folder_gives_its_own_ids(shared_data):
    folder = shared_data / "models" / "all-MiniLM-L6-v2"
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs.no_padding()
    theirs.no_truncation()
    wordpiece = WordPiece.from_folder(folder)
    texts = ["Worth every minute.", "Café ½ … naïve — 東京", "ΣΑΣ"]
    assert wordpiece(tf.constant(texts)).to_list() == ids_of(theirs, texts)
