"""Measure the CPU time to assemble a batch of short texts from a million.

    python benchmarks/feed.py
    python benchmarks/feed.py --write=million.csv  # only writes such texts, to measure a whole run

CPU time hardly depends on the other load of the machine. The texts of the file are random words of
the bundled vocabulary, and the first word determines the label.
"""

import argparse
import csv
import pathlib
import random
import time
from collections.abc import Callable

import numpy as np

from ftkeras import corpora
from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.examples import Examples
from ftkeras.data.feed import TrainingFeed

WARM_UP, MEASURED = 20, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in {"texts": 1_000_000, "batch": 32, "shortest": 6, "longest": 19}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--write", type=pathlib.Path, help="the CSV file to write")
    options = parser.parse_args()
    if options.write:
        _write(options)
        return
    rng = np.random.default_rng(0)
    examples = _examples(rng, rng.integers(options.shortest, options.longest + 1, options.texts))
    print("| batching | plan of an epoch | a batch | the same through tf.data |\n|---|---|---|---|")
    for cls in (Packed, Bucketed):
        batching = cls(batch_size=options.batch, pad_id=0, max_length=options.longest)
        print(_row(TrainingFeed(examples, batching, seed=0)))


def _write(options: argparse.Namespace) -> None:
    vocabulary = pathlib.Path(corpora.__file__).parent / "reviews" / "vocab.txt"
    words = [word for word in vocabulary.read_text().split() if word.isalpha()]
    draw = random.Random(0)
    with options.write.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "label"])
        for _ in range(options.texts):
            # Without [CLS] and [SEP].
            length = draw.randint(options.shortest - 2, options.longest - 2)
            text = draw.choices(words, k=length)
            table.writerow([" ".join(text), ("early", "late")[words.index(text[0]) % 2]])


def _row(feed: TrainingFeed) -> str:
    plan = _milliseconds(lambda: feed.parts(0), 1)
    parts = iter(feed.parts(0))
    made = _milliseconds(lambda: feed._element(0, next(parts)), MEASURED)
    elements = iter(feed.dataset(0))
    _milliseconds(lambda: next(elements), WARM_UP)
    read = _milliseconds(lambda: next(elements), MEASURED)
    name = type(feed.batching).__name__
    return f"| {name} | {plan:.0f} ms | {made:.2f} ms | {read:.2f} ms |"


def _examples(rng: np.random.Generator, lengths: np.ndarray) -> Examples:
    count = len(lengths)
    return Examples(
        token_ids=rng.integers(1, 1000, lengths.sum()).astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        second_starts=lengths.astype(np.int32),
        stored_targets=rng.integers(0, 2, count),
        stored_digests=np.arange(count, dtype=np.uint64),
        rows=rng.permutation(count),
        name="train",
        pairs=False,
    )


def _milliseconds(function: Callable, times: int) -> float:
    """Return the CPU time of a call, over all threads of this process."""
    start = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - start) / times * 1e3


if __name__ == "__main__":
    main()
