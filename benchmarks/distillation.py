r"""Measure how much a teacher and unlabelled texts improve a small student, on SST-2.

    python benchmarks/distillation.py --shared=../shared/data --out=/tmp/distillation \
        --labels=1000 --unlabelled=6000 --seeds 0 1 2

Each seed labels different sentences of SST-2's training file. The teacher is all-MiniLM-L6-v2,
trained on these. The student is its first two layers. It learns from the labels alone, from labels
and teacher, and from labels, teacher and the unlabelled sentences. All are tested on SST-2's
development file. At the end, the script prints a table with accuracy (mean and standard deviation
over the seeds), and with size and latency for one text, as the exports record them.
"""

import argparse
import csv
import json
import logging
import pathlib
import shutil
import statistics

import keras
import numpy as np
import safetensors.numpy

from ftkeras.config.run import Config
from ftkeras.verbs import train

LAYERS = 2
DISTILL = ("distill(temperature=2, weight=0.7)",)


def main() -> None:
    """Run the missing trainings, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--unlabelled", type=int, default=6000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    encoder = given.shared / "models" / "all-MiniLM-L6-v2"
    small = _first_layers(encoder, given.out / "student")
    found: dict[str, list[dict]] = {}
    for seed in given.seeds:
        data = _sample(given, seed)
        teacher = _train(given, seed, "teacher", data, encoder)
        taught = {"teacher": (str(teacher),), "regularizer": DISTILL}
        more = {"unlabelled": (str(data / "unlabelled.txt"),)}
        runs = {
            "teacher": teacher,
            "student alone": _train(given, seed, "alone", data, small),
            "distilled": _train(given, seed, "distilled", data, small, **taught),
            "distilled, unlabelled too": _train(given, seed, "more", data, small, **taught, **more),
        }
        for name, run in runs.items():
            found.setdefault(name, []).append(measured(run))
    show(found)


def show(found: dict[str, list[dict]]) -> None:
    """Print a row for each kind of run, from what `measured` returned for each seed."""
    for name, rows in found.items():
        accuracies = [row["accuracy"] for row in rows]
        spread = statistics.stdev(accuracies) if len(rows) > 1 else 0.0
        shown = " ".join(f"{a:.4f}" for a in accuracies)
        print(f"{name:26} {statistics.mean(accuracies):.4f} ± {spread:.4f}  [{shown}]  {rows[0]}")


def _first_layers(encoder: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Write a checkpoint with only the first layers of another; return its folder."""
    shutil.copytree(encoder, folder, dirs_exist_ok=True)
    config = json.loads((encoder / "config.json").read_text()) | {"num_hidden_layers": LAYERS}
    (folder / "config.json").write_text(json.dumps(config))
    tensors = safetensors.numpy.load_file(encoder / "model.safetensors")
    dropped = tuple(f"layer.{n}." for n in range(LAYERS, 100))
    kept = {n: t for n, t in tensors.items() if not any(part in n for part in dropped)}
    safetensors.numpy.save_file(kept, folder / "model.safetensors")
    return folder


def _sample(given: argparse.Namespace, seed: int) -> pathlib.Path:
    folder = given.out / f"data-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    lines = (given.shared / "sst2" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    size = given.labels + given.unlabelled
    chosen = [lines[n] for n in np.random.default_rng(seed).permutation(len(lines))[:size]]
    labelled = ["sentence\tlabel", *chosen[: given.labels]]
    (folder / "labelled.tsv").write_text("\n".join(labelled) + "\n", encoding="utf-8")
    texts = [line.rpartition("\t")[0].strip() for line in chosen[given.labels :]]
    (folder / "unlabelled.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return folder


def _train(
    given: argparse.Namespace,
    seed: int,
    name: str,
    data: pathlib.Path,
    encoder: pathlib.Path,
    **settings,
) -> pathlib.Path:
    run_dir = given.out / f"{name}-{seed}"
    config = Config(
        data=(str(data / "labelled.tsv"),),
        test_data=(str(given.shared / "sst2" / "dev.tsv"),),
        encoder=str(encoder),
        max_length=64,
        batch_size=64,
        seed=seed,
        data_seed=seed,
        run_dir=str(run_dir),
        export_dir=str(given.out / "exports"),
        name=f"{name}-{seed}",
        report=False,
        **settings,
    )
    train.run(config)
    keras.backend.clear_session()
    return run_dir


def measured(run: pathlib.Path) -> dict:
    """Return what a finished run's metrics and its first export record."""
    metrics = json.loads((run / "metrics.json").read_text())
    rows = list(csv.DictReader((run / "history.csv").open()))
    export = pathlib.Path(json.loads((run / "exports.json").read_text())[0])
    record = json.loads((export / "export.json").read_text())
    return {
        "accuracy": metrics["test"]["accuracy"],
        "epochs": len(rows),
        "seconds": round(metrics["train"]["seconds"]),
        "megabytes": round(record["bytes"] / 1e6, 1),
        "ms_per_text": record["latency_ms"]["batch_1"],
    }


if __name__ == "__main__":
    main()
