r"""Simulate active learning on SST-2: learning curves of `select` and of random choice.

    python benchmarks/active_learning.py --shared=../shared/data --out=/tmp/active \
        --pool=1000 --start=40 --step=40 --rounds=4 --seeds 0 1 2

The pool is a sample of SST-2's training file. Each round trains a head on all-MiniLM-L6-v2
(`head_only`) with the labels known so far, tests it on SST-2's development file, and reveals the
labels of further sentences: those that `select` chooses, or random ones. All methods start with the
same labels. The script prints the accuracy after each round, as mean and standard deviation over
the seeds.
"""

import argparse
import json
import logging
import pathlib
import statistics

import keras
import numpy as np

from ftkeras.config.run import Config
from ftkeras.config.selection import CRITERIA, SelectConfig
from ftkeras.verbs import select, train


def main() -> None:
    """Run all methods, and print a row of accuracies for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--pool", type=int, default=1000)
    parser.add_argument("--start", type=int, default=40)
    parser.add_argument("--step", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    curves = {
        way: [_curve(given, way, seed) for seed in given.seeds] for way in ("random", *CRITERIA)
    }
    sizes = [given.start + n * given.step for n in range(given.rounds + 1)]
    print("labels    " + "".join(f"{size:>18}" for size in sizes))
    for way, rows in curves.items():
        cells = []
        for values in zip(*rows, strict=True):
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            cells.append(f"{statistics.mean(values):.3f} ± {spread:.3f}")
        print(f"{way:10}" + "".join(f"{cell:>18}" for cell in cells))


def _curve(given: argparse.Namespace, way: str, seed: int) -> list[float]:
    """Return the accuracy after each round."""
    random = np.random.default_rng(seed)
    lines = (given.shared / "sst2" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    chosen = random.permutation(len(lines))[: given.pool]
    rows = dict(lines[n].rpartition("\t")[::2] for n in chosen)
    pool = [text.strip() for text in rows]
    labels = {text.strip(): label for text, label in rows.items()}
    known, accuracies = pool[: given.start], []
    for number in range(given.rounds + 1):
        folder = given.out / f"{way}-{seed}-{number}"
        run_dir = folder / "run"
        if not (run_dir / "exports.json").exists():
            _train(given, seed, folder, {text: labels[text] for text in known})
        metrics = json.loads((run_dir / "metrics.json").read_text())
        accuracies.append(metrics["test"]["accuracy"])
        left = [text for text in pool if text not in set(known)]
        known = known + _next(given, way, seed, folder, left)
        print(f"{way} seed {seed}: {accuracies}", flush=True)
    return accuracies


def _next(
    given: argparse.Namespace, way: str, seed: int, folder: pathlib.Path, left: list[str]
) -> list[str]:
    if way == "random":
        order = np.random.default_rng((seed, len(left))).permutation(len(left))
        return [left[n] for n in order[: given.step]]
    path = folder / "left.txt"
    path.write_text("\n".join(left) + "\n", encoding="utf-8")
    config = SelectConfig(
        run_dir=str(folder / "run"), data=str(path), count=given.step, by=way, seed=seed
    )
    found = select.run(config)
    keras.backend.clear_session()
    return [item.text for item in found.items]


def _train(
    given: argparse.Namespace, seed: int, folder: pathlib.Path, labels: dict[str, str]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(f"{text}\t{label}" for text, label in labels.items())
    (folder / "labels.tsv").write_text(f"sentence\tlabel\n{text}\n", encoding="utf-8")
    config = Config(
        data=(str(folder / "labels.tsv"),),
        test_data=(str(given.shared / "sst2" / "dev.tsv"),),
        train_on_validation=True,
        encoder=str(given.shared / "models" / "all-MiniLM-L6-v2"),
        head="classification(pooling='mean')",
        policy=("head_only",),
        learning_rate=5e-3,
        epochs=30,
        max_length=64,
        seed=seed,
        run_dir=str(folder / "run"),
        export=(),
        report=False,
    )
    train.run(config)
    keras.backend.clear_session()


if __name__ == "__main__":
    main()
