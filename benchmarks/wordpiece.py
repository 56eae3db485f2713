"""Compare the text layer with `tokenizers` (Rust) on IMDb: speed, or with --verify every id.

    python benchmarks/wordpiece.py --data_dir=DIR --vocabulary=vocab.txt [--cased] [--verify]

To measure the speed, both tokenize batches in turn, on all cores, and the script prints the medians
and their ratio. --verify compares all 100,000 reviews and generated texts in the vocabulary's
scripts, and prints the number of texts that differ.
"""

import argparse
import os
import pathlib
import random
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import tensorflow_datasets as tfds
from tokenizers import Tokenizer

from ftkeras.text.wordpiece import WordPiece

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tests.text.mixtures import mixtures
from tests.text.reference import ids_of, reference

BATCH = 1000


def reviews(data_dir: str, splits: list[str]) -> list[str]:
    """Return the texts of the given splits."""
    texts = []
    for split in splits:
        data = tfds.load("imdb_reviews", split=split, data_dir=data_dir, download=False)
        texts += [row["text"].decode() for row in data.as_numpy_iterator()]
    return texts


def in_graph(wordpiece: WordPiece, texts: list[bytes]) -> list:
    """Return the ids of each text, computed in tf.data as in training."""
    data = tf.data.Dataset.from_tensor_slices(texts).batch(BATCH)
    return list(data.map(wordpiece, num_parallel_calls=tf.data.AUTOTUNE))


def in_rust(tokenizer: Tokenizer, texts: list[str]) -> list:
    """Return the encoding of each text by `tokenizers`, in the same batches."""
    parts = [texts[i : i + BATCH] for i in range(0, len(texts), BATCH)]
    return [tokenizer.encode_batch(part, add_special_tokens=False) for part in parts]


def seconds(function: Callable, *arguments: object) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def race(wordpiece: WordPiece, tokenizer: Tokenizer, texts: list[str], rounds: int) -> None:
    """Measure both, and print their medians and the ratio."""
    encoded = tf.constant([text.encode() for text in texts])
    ours, theirs = [], []
    in_graph(wordpiece, encoded[:BATCH])
    for _ in range(rounds):
        ours.append(seconds(in_graph, wordpiece, encoded))
        theirs.append(seconds(in_rust, tokenizer, texts))
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"{len(texts)} reviews: in graph {a:.2f} s, tokenizers {b:.2f} s, ratio {b / a:.2f}")


def count_differing(wordpiece: WordPiece, tokenizer: Tokenizer, texts: list[str]) -> int:
    """Return the number of texts whose ids differ."""
    count = 0
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        want = ids_of(tokenizer, part)
        found = wordpiece([text.encode("utf-8", "surrogatepass") for text in part]).to_list()
        count += sum(a != b for a, b in zip(found, want, strict=True))
    return count


def main() -> None:
    """Measure the speed, or verify all ids."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", default=None, help="TFDS folder; default: that of TFDS")
    parser.add_argument("--vocabulary", required=True, type=pathlib.Path, help="a vocab.txt")
    parser.add_argument("--cased", action="store_true", help="neither lower-case nor strip accents")
    parser.add_argument("--verify", action="store_true", help="compare all reviews' ids")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=10_000, help="reviews to time")
    options = parser.parse_args()
    wordpiece = WordPiece.from_vocabulary(options.vocabulary, lowercase=not options.cased)
    tokenizer = reference(wordpiece.vocabulary, wordpiece.lowercase)
    if not options.verify:
        texts = reviews(options.data_dir, ["train"])[: options.examples]
        return race(wordpiece, tokenizer, texts, options.rounds)
    texts = reviews(options.data_dir, ["train", "test", "unsupervised"])
    print(f"IMDb: {count_differing(wordpiece, tokenizer, texts)} of {len(texts)} reviews differ")
    made = list(mixtures(wordpiece.vocabulary, 50_000, random.Random(0)))
    print(f"generated: {count_differing(wordpiece, tokenizer, made)} of {len(made)} texts differ")
    return None


if __name__ == "__main__":
    main()
