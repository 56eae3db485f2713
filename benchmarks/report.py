"""Measure the time and memory of `report` on a run with many test texts, in its own process.

    python benchmarks/report.py [--texts=100000] [--words=50]

Trains a tiny classifier for one epoch on 20,000 generated texts, and evaluates it on another
`--texts` texts. Then writes the page about it with all texts, without explanations. Prints the
seconds this took, the CPU seconds, the peak resident memory, and the size of the page. Words are
drawn from 30,000 by Zipf's law; the first words of a text decide its label.
"""

import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil

TRAIN = 20_000
ENCODER = "bert(vocabulary='reviews', layers=1, hidden=16, heads=2)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as name:
        folder = pathlib.Path(name)
        _write(folder / "train.csv", TRAIN, arguments.words, seed=1)
        _write(folder / "test.csv", arguments.texts, arguments.words, seed=2)
        _call(folder, "train", "train.csv", "--test_data=test.csv", f"--encoder={ENCODER}",
              "--max_length=64", "--batch_size=256", "--epochs=1", "--learning_rate=1e-3",
              "--run_dir=run", "--export=none", "--noreport")  # fmt: skip
        seconds, busy, peak = _call(folder, "report", "--run_dir=run", "--explanations=0",
                                    "--slices=source", "--slice=number=[0-9]")  # fmt: skip
        size = (folder / "run" / "report.html").stat().st_size
    print(
        f"{arguments.texts:,} texts: {seconds:.1f} s, of them {busy:.1f} s of processor time, "
        f"{peak:,.0f} MiB, page {size / 1e6:.2f} MB"
    )


def _write(path: pathlib.Path, count: int, words: int, *, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = _known_words()
    shares = 1 / np.arange(1, len(known) + 1)
    lengths = np.maximum(3, rng.poisson(words, count))
    drawn = rng.choice(len(known), lengths.sum(), p=shares / shares.sum())
    starts = np.cumsum(lengths) - lengths
    labels = drawn[starts] + drawn[starts + 1] + rng.integers(0, 20, count) > 60
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "source"])
        for start, length, label in zip(starts, lengths, labels, strict=True):
            text = " ".join(known[n] for n in drawn[start : start + length])
            writer.writerow([text, "high" if label else "low", "abcde"[start % 5]])


def _known_words() -> list[str]:
    """Return 30,000 pronounceable words, the shortest first."""
    syllables = [a + b for a in "bdfghjklmnprstvw" for b in "aeiou"]
    pairs = [one + other for one in syllables for other in syllables]
    return [*syllables, *pairs, *(pair + one for one in syllables for pair in pairs)][:30_000]


def _call(folder: pathlib.Path, verb: str, *flags: str) -> tuple[float, float, float]:
    """Run a verb; return its seconds, its CPU seconds, and its peak memory in MiB."""
    start, busy, peak = time.perf_counter(), 0.0, 0.0
    command = [sys.executable, "-m", "ftkeras.main", verb, *flags]
    with subprocess.Popen(command, cwd=folder) as process:
        known = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, known.memory_info().rss / 2**20)
                busy = sum(known.cpu_times()[:2])
            except psutil.Error:
                break
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - start, busy, peak


if __name__ == "__main__":
    main()
