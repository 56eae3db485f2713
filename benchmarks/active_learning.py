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

import few_labels
import keras
import numpy as np

from ftkeras.config.run import Config
from ftkeras.config.selection import CRITERIA, SelectConfig
from ftkeras.verbs import select, train

WAYS = ("random", *CRITERIA)


def main() -> None:
    """Run all methods, and print a row of accuracies for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data", choices=few_labels.READERS, default="sst2")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument(
        "--length", type=int, default=64, help="tokens; the truncation is head_tail"
    )
    parser.add_argument("--tested", type=int, help="so many texts, spread over those tested on")
    parser.add_argument("--pool", type=int, default=1000)
    parser.add_argument("--start", type=int, default=40)
    parser.add_argument("--step", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    data, test = few_labels.READERS[given.data](given.shared)
    given.out.mkdir(parents=True, exist_ok=True)
    every = 1 if given.tested is None else max(1, len(test) // given.tested)
    few_labels.write(given.out / "test.csv", test[::every])
    curves = {way: [_curve(given, data, way, seed) for seed in given.seeds] for way in given.ways}
    sizes = [given.start + n * given.step for n in range(given.rounds + 1)]
    print("labels    " + "".join(f"{size:>18}" for size in sizes))
    for way, rows in curves.items():
        cells = []
        for values in zip(*rows, strict=True):
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            cells.append(f"{statistics.mean(values):.3f} ± {spread:.3f}")
        print(f"{way:10}" + "".join(f"{cell:>18}" for cell in cells))


def _curve(given: argparse.Namespace, data: list, way: str, seed: int) -> list[float]:
    """Return the accuracy after each round."""
    order = np.random.default_rng(seed).permutation(len(data))[: given.pool]
    labels = {data[n][0].strip(): data[n][1] for n in order}
    known, accuracies = list(labels)[: given.start], []
    for number in range(given.rounds + 1):
        # All ways start from the same labels, and so with the same run.
        folder = given.out / (f"{way}-{seed}-{number}" if number else f"start-{seed}")
        if not (folder / "run" / "exports.json").exists():
            _train(given, seed, folder, {text: labels[text] for text in known})
        metrics = json.loads((folder / "run" / "metrics.json").read_text())
        accuracies.append(metrics["test"]["accuracy"])
        print(f"{way} seed {seed}: {accuracies}", flush=True)
        if number < given.rounds:
            known += _next(given, way, seed, folder, [t for t in labels if t not in set(known)])
    return accuracies


def _next(
    given: argparse.Namespace, way: str, seed: int, folder: pathlib.Path, left: list[str]
) -> list[str]:
    if way == "random":
        order = np.random.default_rng((seed, len(left))).permutation(len(left))
        return [left[n] for n in order[: given.step]]
    path = folder / "left.csv"
    few_labels.write(path, [(text, "") for text in left])
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
    few_labels.write(folder / "labels.csv", list(labels.items()))
    config = Config(
        data=(str(folder / "labels.csv"),),
        test_data=(str(given.out / "test.csv"),),
        text_column="text",
        label_column="label",
        train_on_validation=True,
        encoder=str(given.shared / "models" / "all-MiniLM-L6-v2"),
        head="classification(pooling='mean')",
        policy=("head_only",),
        learning_rate=5e-3,
        epochs=30,
        max_length=given.length,
        truncation="head_tail",
        seed=seed,
        run_dir=str(folder / "run"),
        export=(),
        report=False,
    )
    train.run(config)
    keras.backend.clear_session()


if __name__ == "__main__":
    main()
