"""Compare byte-level BPE with `tokenizers` (Rust) on IMDb: speed, or with --verify every id.

    python benchmarks/byte_pair.py --data_dir=DIR --vocabulary=DIR [--verify]

The vocabulary is a folder with vocab.json and merges.txt, such as GPT-2's. RoBERTa's special tokens
are added if it lacks them. Speed is measured in the same way as in benchmarks/wordpiece.py.
"""

import argparse
import json
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from wordpiece import count_differing, race, reviews  # benchmarks/wordpiece.py

from ftkeras.text.byte_pair import SPECIAL_TOKENS, BytePair

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tests.text.byte_pair_reference import reference


def read(folder: pathlib.Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the vocabulary in the order of its ids, and the merges."""
    ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
    merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    vocabulary = sorted(ids, key=ids.get)
    return vocabulary + [token for token in SPECIAL_TOKENS if token not in ids], merges


def main() -> None:
    """Measure the speed, or verify all ids."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", default=None, help="TFDS folder; default: that of TFDS")
    parser.add_argument("--vocabulary", required=True, type=pathlib.Path, help="a folder")
    parser.add_argument("--verify", action="store_true", help="compare all reviews' ids")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=10_000, help="reviews to time")
    options = parser.parse_args()
    vocabulary, merges = read(options.vocabulary)
    start = time.process_time()
    ours, theirs = BytePair(vocabulary=vocabulary, merges=merges), reference(vocabulary, merges)
    print(f"{len(vocabulary)} tokens: built in {time.process_time() - start:.1f} s of CPU time")
    if not options.verify:
        texts = reviews(options.data_dir, ["train"])[: options.examples]
        return race(ours, theirs, texts, options.rounds)
    texts = reviews(options.data_dir, ["train", "test", "unsupervised"])
    print(f"IMDb: {count_differing(ours, theirs, texts)} of {len(texts)} reviews differ")
    return None


if __name__ == "__main__":
    main()
