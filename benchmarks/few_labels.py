r"""Compare `few_shot=contrastive` with plain fine-tuning on few labels.

    python benchmarks/few_labels.py --shared=../shared/data --out=/tmp/few \
        --data sst2 agnews --labels 8 16 64 --seeds 0 1 2 --ways plain head contrastive

Each seed draws the given number of texts for each label from the training part of the data. All
methods train all-MiniLM-L6-v2 on the same texts: `plain` trains all weights, `head` only a head on
the text vectors, and `contrastive` a head after pairs of texts have tuned the encoder. Nothing is
held out for validation. SST-2 is tested on its development file, AG News on its last 1,000 texts,
and GoEmotions on 1,000 texts of its test file. Only GoEmotions texts with a single emotion are
used. The script prints the test accuracy, as mean and standard deviation over the seeds. Finished
runs are not repeated. `few_labels_setfit.py` trains the package setfit on the files that this
script writes.
"""

import argparse
import csv
import json
import logging
import pathlib
import statistics

import keras
import numpy as np

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.verbs import train

TESTED = 1000
LENGTH = 64
WAYS = ("plain", "head", "contrastive")


def main() -> None:
    """Run the missing trainings, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data", nargs="+", choices=READERS, default=DEFAULT)
    parser.add_argument("--labels", type=int, nargs="+", default=[8, 16, 64])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--pairs", type=int, default=20, help="`pairs` of contrastive")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for name in given.data:
        for count in given.labels:
            for way in given.ways:
                found = [_measure(given, name, count, way, seed) for seed in given.seeds]
                accuracies = [metrics["test"]["accuracy"] for metrics in found]
                spread = statistics.stdev(accuracies) if len(found) > 1 else 0.0
                shown = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
                print(
                    f"{name:12}{count:4} {way:12}{statistics.mean(accuracies):.3f} ± {spread:.3f}"
                    f"  [{shown}]",
                    flush=True,
                )


def _sst2(folder: pathlib.Path) -> tuple[list, list]:
    train, test = (
        [line.rpartition("\t")[::2] for line in _lines(folder / "sst2" / name)[1:]]
        for name in ("train.tsv", "dev.tsv")
    )
    return train, test


def _agnews(folder: pathlib.Path) -> tuple[list, list]:
    with (folder / "agnews" / "agnews.csv").open(encoding="utf-8", newline="") as file:
        rows = [(f"{title} {text}", label) for label, title, text in csv.reader(file)]
    return rows[:-TESTED], rows[-TESTED:]


def _goemotions(folder: pathlib.Path) -> tuple[list, list]:
    names = _lines(folder / "goemotions" / "labels.txt")
    train, test = (
        [
            (text, names[int(labels)])
            for text, labels, _ in (line.split("\t") for line in _lines(folder / "goemotions" / n))
            if "," not in labels
        ]
        for n in ("train.tsv", "test.tsv")
    )
    return train, test[:TESTED]


def _imdb(folder: pathlib.Path) -> tuple[list, list]:
    task = catalog.build("task", "imdb", data_dir=str(folder / "tfds"))
    train, test = (
        [
            (" ".join(row["text"].decode().split()), task.labels[row["label"]])
            for row in task.splits()[name].as_numpy_iterator()
        ]
        for name in ("train", "test")
    )
    return train, test[:: len(test) // TESTED]


READERS = {"sst2": _sst2, "agnews": _agnews, "goemotions": _goemotions, "imdb": _imdb}
# What the options stand for if none are given: IMDb's long texts take far longer.
DEFAULT = ("sst2", "agnews", "goemotions")


def _lines(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def write(path: pathlib.Path, rows: list) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def _sample(given: argparse.Namespace, name: str, count: int, seed: int) -> pathlib.Path:
    """Write the training and test texts; return their folder."""
    folder = given.out / f"{name}-{count}-{seed}"
    if (folder / "test.csv").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    train, test = READERS[name](given.shared)
    random, chosen = np.random.default_rng(seed), []
    for label in sorted({label for _, label in train}):
        own = [row for row in train if row[1] == label]
        chosen += [own[n] for n in random.permutation(len(own))[:count]]
    write(folder / "train.csv", chosen)
    write(folder / "test.csv", test)
    return folder


def _settings(way: str, pairs: int) -> dict:
    if way == "head":
        return {"policy": ("head_only",), "epochs": 50, "learning_rate": 5e-3}
    return {"few_shot": f"contrastive(pairs={pairs})"} if way == "contrastive" else {}


def _measure(given: argparse.Namespace, name: str, count: int, way: str, seed: int) -> dict:
    folder = _sample(given, name, count, seed)
    run_dir = folder / way
    if not (run_dir / "exports.json").exists():
        common = {
            "data": (str(folder / "train.csv"),),
            "test_data": (str(folder / "test.csv"),),
            # Nothing is held out. The share has to have a text of each label all the same.
            "train_on_validation": True,
            "validation_share": 0.5,
            "encoder": str(given.shared / "models" / "all-MiniLM-L6-v2"),
            "head": "classification(pooling='mean')",
            "max_length": LENGTH,
            "seed": seed,
            "run_dir": str(run_dir),
            "cache_dir": "none",
            "export": (),
            "report": False,
        }
        train.run(Config(**common, **_settings(way, given.pairs)))
        keras.backend.clear_session()
    return json.loads((run_dir / "metrics.json").read_text())


if __name__ == "__main__":
    main()
