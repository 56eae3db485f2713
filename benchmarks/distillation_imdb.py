r"""Measure how much a finished run on IMDb improves a smaller student.

    python -m ftkeras.main pretrain --task=imdb --encoder="bert(layers=4, hidden=256, heads=4)" \
        --vocabulary_size=16000 --run_dir=runs/small …
    python benchmarks/distillation_imdb.py --data_dir=… --teacher=runs/imdb_cpu/finetuned \
        --student=runs/small --out=/tmp/distillation --labels=10000 --epochs=3 --seeds 0

The student learns from the labels alone, and from labels and teacher, with the same reviews,
settings and seeds, and is tested on the same reviews. The script prints the table of
`distillation.py`. Finished runs are not repeated.
"""

import argparse
import logging
import pathlib

import keras
from distillation import measured, show

from ftkeras.config.run import Config
from ftkeras.verbs import train

DISTILL = ("distill(temperature=2, weight=0.7)",)


def main() -> None:
    """Run the missing trainings, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--teacher", required=True, help="a finished run on IMDb")
    parser.add_argument(
        "--student", required=True, help="an encoder, or the run that pretrained it"
    )
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--labels", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--tested", type=int, default=5000, help="reviews to test on")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    taught = {"teacher": (given.teacher,), "regularizer": DISTILL}
    ways = {"student alone": {}, "distilled": taught}
    show(
        {
            name: [measured(_train(given, name, seed, settings)) for seed in given.seeds]
            for name, settings in ways.items()
        }
    )


def _train(given: argparse.Namespace, way: str, seed: int, settings: dict) -> pathlib.Path:
    name = f"{way.split()[-1]}-{seed}"
    run_dir = given.out / name
    if not (run_dir / "exports.json").exists():
        config = Config(
            task="imdb",
            data_dir=given.data_dir,
            encoder=given.student,
            max_length=256,
            truncation="head_tail(head=64)",
            train_examples=given.labels,
            validation_share=0.04,
            test_examples=given.tested,
            epochs=given.epochs,
            learning_rate=3e-4,
            seed=seed,
            run_dir=str(run_dir),
            export_dir=str(given.out / "exports"),
            name=name,
            report=False,
            **settings,
        )
        train.run(config)
        keras.backend.clear_session()
    return run_dir


if __name__ == "__main__":
    main()
