"""Compare recipes for fine-tuning: accuracy over seeds, and CPU seconds.

    python benchmarks/policies.py --data_dir=… --encoder=…/all-MiniLM-L6-v2 --out=benchmarks/recipes

Uses 1,000 IMDb training reviews, 1,000 test reviews, 128 tokens, and the best of 3 epochs by
validation. Each recipe and seed is a run of `python -m ftkeras.main`. Finished runs are not
repeated, so the script can be interrupted and resumed. It prints a table and writes OUT/table.md.
Seconds are CPU seconds of the whole process on all cores, from start to evaluation, because other
load on the machine affects them less than wall-clock time.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

COMMON = [
    "--task=imdb",
    *("--train_examples=1000", "--validation_examples=500", "--test_examples=1000"),
    *("--max_length=128", "--batch_size=16", "--epochs=3", "--learning_rate=5e-5"),
    *("--batching=padded", "--export=none"),
]
RECIPES = {
    "full": [],
    "head only": ["--policy=head_only", "--learning_rate=1e-3"],
    "freeze half": ["--policy=freeze(layers=3)"],
    "layerwise": ["--policy=layerwise(decay=0.95)"],
    "L2-SP": ["--regularizer=l2_sp(strength=0.01)", "--optimizer=adamw(decay=0.0)"],
    "R-Drop": ["--regularizer=r_drop(alpha=1.0)"],
    "re-init": ["--policy=reinit(layers=1)"],
    "LoRA": ["--policy=lora(rank=8, alpha=16)", "--learning_rate=5e-4"],
    "gradual unfreezing": ["--policy=gradual_unfreezing(layers=3)"],
}


def _metrics(recipe: str, seed: int, flags: argparse.Namespace) -> dict:
    run_dir = flags.out / "runs" / f"{recipe.replace(' ', '_')}-{seed}"
    if not (run_dir / "metrics.json").exists():
        command = [
            sys.executable,
            "-m",
            "ftkeras.main",
            *COMMON,
            *RECIPES[recipe],
            f"--seed={seed}",
        ]
        command += [f"--data_dir={flags.data_dir}", f"--encoder={flags.encoder}"]
        process = subprocess.Popen([*command, f"--run_dir={run_dir}"])
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{recipe}, seed {seed}: ended with status {status}")
        (run_dir / "cpu_seconds").write_text(str(usage.ru_utime + usage.ru_stime))
    metrics = json.loads((run_dir / "metrics.json").read_text())
    return {**metrics, "cpu_seconds": float((run_dir / "cpu_seconds").read_text())}


def _row(recipe: str, runs: list[dict]) -> str:
    accuracies = [run["test"]["accuracy"] for run in runs]
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    seconds = statistics.median(run["cpu_seconds"] for run in runs)
    return f"| {recipe} | {statistics.mean(accuracies):.4f} ± {spread:.4f} | {seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    flags = parser.parse_args()
    seeds = range(1, flags.seeds + 1)
    rows = [_row(name, [_metrics(name, seed, flags) for seed in seeds]) for name in RECIPES]
    head = ["| recipe | test accuracy, mean ± sd | CPU seconds, median |", "|---|---|---|"]
    table = "\n".join([*head, *rows]) + "\n"
    (flags.out / "table.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
