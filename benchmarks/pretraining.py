r"""Measure what pretraining on a task's texts gains with few labels, on IMDb.

    python -m ftkeras.main --flagfile=flags/imdb_cpu_pretraining.cfg --run_dir=/tmp/pretrained …
    python benchmarks/pretraining.py --data_dir=… --plain=sentence-transformers/all-MiniLM-L6-v2 \
        --pretrained=/tmp/pretrained --out=/tmp/labels --labels 100 500 3000 --seeds 0 1 2 3 4

Both encoders are trained on the same reviews with the same settings, and tested on the same ones.
The seeds differ in the head's first weights, dropout and the order of the reviews. The script
prints the test accuracy, as mean and standard deviation over the seeds, and what `compare`
concludes. Finished runs are not repeated.
"""

import argparse
import json
import logging
import pathlib
import statistics

import keras

import ftkeras
from ftkeras.config.run import Config
from ftkeras.verbs import train


def main() -> None:
    """Run the missing trainings, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--plain", required=True, help="the encoder before pretraining")
    parser.add_argument("--pretrained", required=True, help="the run that pretrained it")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 500, 3000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--max_length", type=int, default=256)
    parser.add_argument("--tested", type=int, default=2000, help="reviews to test on")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for labels in given.labels:
        runs = {}
        for way in ("plain", "pretrained"):
            runs[way] = [_run(given, way, labels, seed) for seed in given.seeds]
            accuracies = [_accuracy(run) for run in runs[way]]
            spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
            shown = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
            print(
                f"{labels:5} {way:11} {statistics.mean(accuracies):.4f} ± {spread:.4f}  [{shown}]",
                flush=True,
            )
        result = ftkeras.compare(*runs["plain"], *runs["pretrained"], verbose=0)
        print(*result["conclusions"], sep="\n", flush=True)


def _run(given: argparse.Namespace, way: str, labels: int, seed: int) -> pathlib.Path:
    """Train unless that is done; return the folder of the run."""
    run_dir = given.out / f"{labels}-{way}-{seed}"
    if not (run_dir / "exports.json").exists():
        train.run(
            Config(
                task="imdb",
                data_dir=given.data_dir,
                encoder=getattr(given, way),
                max_length=given.max_length,
                truncation="head_tail(head=64)",
                train_examples=labels,
                test_examples=given.tested,
                # Nothing is held out: a few texts would choose the epoch by chance.
                train_on_validation=True,
                seed=seed,
                run_dir=str(run_dir),
                export=(),
                report=False,
            )
        )
        keras.backend.clear_session()
    return run_dir


def _accuracy(run: pathlib.Path) -> float:
    return json.loads((run / "metrics.json").read_text())["test"]["accuracy"]


if __name__ == "__main__":
    main()
