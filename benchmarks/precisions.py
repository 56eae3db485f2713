r"""Compare the accuracy of models trained in bfloat16 with that of models trained in float32.

    python benchmarks/precisions.py --shared=../shared/data --out=/tmp/precisions --seeds 0 1 2

Each seed draws other sentences from SST-2's training file, and trains all-MiniLM-L6-v2 on them in
both precisions, for two epochs without validation. The models are tested on SST-2's development
file; evaluation is in float32 in any case. The script prints the accuracies, and the mean of their
differences with its 95 % interval by Student's t. Finished runs are not repeated.
"""

import argparse
import json
import logging
import pathlib
import statistics

import few_labels
import keras
import numpy as np
from scipy import stats

from ftkeras.config.run import Config
from ftkeras.verbs import train

PRECISIONS = ("float32", "mixed_bfloat16")


def main() -> None:
    """Run the missing trainings, and print their accuracies and the differences."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--examples", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    found = {name: [_accuracy(given, name, seed) for seed in given.seeds] for name in PRECISIONS}
    for name, accuracies in found.items():
        shown = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
        mean, spread = statistics.mean(accuracies), statistics.stdev(accuracies)
        print(f"{name:16}{mean:.4f} ± {spread:.4f}  [{shown}]")
    exact, rounded = (np.array(accuracies) for accuracies in found.values())
    test = stats.ttest_rel(rounded, exact)
    low, high = test.confidence_interval()
    print(f"difference {np.mean(rounded - exact):+.4f}, 95 % interval {low:+.4f} to {high:+.4f}")


def _accuracy(given: argparse.Namespace, precision: str, seed: int) -> float:
    run_dir = given.out / f"{precision}-{seed}"
    if not (run_dir / "exports.json").exists():
        data = given.out / f"data-{seed}"
        data.mkdir(parents=True, exist_ok=True)
        rows, test = few_labels.READERS["sst2"](given.shared)
        chosen = np.random.default_rng(seed).permutation(len(rows))[: given.examples]
        few_labels.write(data / "train.csv", [rows[n] for n in chosen])
        few_labels.write(data / "test.csv", test)
        config = Config(
            data=(str(data / "train.csv"),),
            test_data=(str(data / "test.csv"),),
            train_on_validation=True,
            encoder=str(given.shared / "models" / "all-MiniLM-L6-v2"),
            max_length=64,
            epochs=2,
            precision=precision,
            seed=seed,
            run_dir=str(run_dir),
            export=(),
            report=False,
        )
        train.run(config)
        keras.backend.clear_session()
    return json.loads((run_dir / "metrics.json").read_text())["test"]["accuracy"]


if __name__ == "__main__":
    main()
