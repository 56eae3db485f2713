r"""Flip some labels of SST-2, and measure how many of them `select --doubtful` finds.

    python benchmarks/label_errors.py --shared=../shared/data --out=/tmp/label_errors \
        --labels=2000 --flipped=0.05 --seeds 0 1 2

For each seed, some labels in a sample of SST-2's training file are flipped. Out-of-fold
probabilities come from all-MiniLM-L6-v2 with a trained head (`head_only`) and five folds. The
script prints the precision among the k most doubtful labels, and the recall: the share of the
flipped labels that is found among all doubtful ones. SST-2 also has wrong labels of its own; if
`select` finds one of these, it counts as a mistake here.
"""

import argparse
import logging
import pathlib

import numpy as np

from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.selection import SelectConfig
from ftkeras.verbs import crossvalidate, select

CUTS = (25, 50, 100)


def main() -> None:
    """Run the missing cross-validations, and print a line for each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--flipped", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for seed in given.seeds:
        path = given.out / f"data-{seed}.tsv"
        flipped = _write(given, path, seed)
        home = given.out / f"folds-{seed}"
        config = CrossvalidateConfig(
            data=(str(path),),
            encoder=str(given.shared / "models" / "all-MiniLM-L6-v2"),
            head="classification(pooling='mean')",
            policy=("head_only",),
            learning_rate=5e-3,
            epochs=10,
            max_length=64,
            batch_size=32,
            group_by="none",
            run_dir=str(home),
        )
        result = crossvalidate.run(config).result
        table = select.run(SelectConfig(run_dir=str(home), doubtful=True, count=given.labels))
        # The first line of the file has the names of the columns.
        found = np.array([row["line"] - 2 in flipped for row in table.rows])
        precision = ", ".join(f"{found[:cut].mean():.2f} at {cut}" for cut in CUTS)
        print(
            f"seed {seed}: accuracy {result['figures']['accuracy']['mean']:.3f}, "
            f"{len(flipped)} flipped; precision {precision}; {len(found)} doubtful, "
            f"recall {found.sum() / len(flipped):.2f}"
        )


def _write(given: argparse.Namespace, path: pathlib.Path, seed: int) -> set[int]:
    """Write a sample with some wrong labels; return the rows with a wrong label."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    lines = (given.shared / "sst2" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [lines[n].rpartition("\t") for n in random.choice(len(lines), given.labels, False)]
    size = round(given.flipped * given.labels)
    flipped = set(random.choice(given.labels, size, replace=False).tolist())
    labels = [str(1 - int(row[2])) if n in flipped else row[2] for n, row in enumerate(rows)]
    text = "\n".join(f"{row[0].strip()}\t{label}" for row, label in zip(rows, labels, strict=True))
    path.write_text(f"sentence\tlabel\n{text}\n", encoding="utf-8")
    return flipped


if __name__ == "__main__":
    main()
