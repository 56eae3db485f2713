"""Measure the memory that `--remat` saves and the time that it costs.

    python benchmarks/remat.py --layers=12 --hidden=256 --batch=16 --length=512

Training with and without it runs in separate processes, which take turns. Prints the peak memory of
the process, the part of it that the training steps added, and the CPU seconds per step, each as the
median of all turns.
"""

import argparse
import itertools
import json
import resource
import statistics
import subprocess
import sys
import time

SIZES = {"layers": 12, "hidden": 256, "batch": 16, "length": 512, "steps": 5}
VARIANTS = ("kept", "recomputed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--only", choices=VARIANTS, help="measure one in this process")
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given)))
        return
    measured = {variant: [] for variant in VARIANTS}
    for _ in range(given.turns):
        for variant, turns in measured.items():
            command = [sys.executable, __file__, *sys.argv[1:], f"--only={variant}"]
            output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
            turns.append(json.loads(output.splitlines()[-1]))
    for variant, turns in measured.items():
        median = {name: statistics.median(t[name] for t in turns) for name in turns[0]}
        print(
            f"{variant:10} {median['peak_mib']:,.0f} MiB, steps {median['of_steps_mib']:,.0f}; "
            f"{median['cpu_seconds']:.2f} CPU seconds per step; loss {median['loss']:.6f}"
        )


def measure(given: argparse.Namespace) -> dict[str, float]:
    """Train repeatedly on one batch of random tokens."""
    import keras
    import numpy as np
    import tensorflow as tf

    from ftkeras.encoders.bert import Bert
    from ftkeras.heads.classification import Classification
    from ftkeras.losses.cross_entropy import CrossEntropy
    from ftkeras.optimizers.adamw import AdamW
    from ftkeras.support.layer_hooks import LayerHooks
    from ftkeras.training.finetuner import FineTuner

    keras.utils.set_random_seed(1)
    sizes = {"layers": given.layers, "hidden": given.hidden, "heads": max(1, given.hidden // 64)}
    hooks = LayerHooks(recompute=given.only == "recomputed")
    encoder = Bert(**sizes, vocabulary_size=30522, positions=given.length, seed=1, hooks=hooks)
    model = FineTuner(encoder=encoder, head=Classification(classes=2, seed=1), pad_id=0)
    model.compile(optimizer=AdamW(learning_rate=1e-4), loss=CrossEntropy())
    rng = np.random.default_rng(0)
    token_ids = rng.integers(1, 30522, (given.batch, given.length)).astype("int32")
    batch = tf.data.Dataset.from_tensors(
        ({"token_ids": token_ids}, rng.integers(0, 2, len(token_ids)))
    )
    before, ends = _peak_mib(), []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(
            (time.process_time(), float(logs["loss"]))
        )
    )
    model.fit(batch.repeat(given.steps + 1), verbose=0, shuffle=False, callbacks=[clock])
    times = [after[0] - first[0] for first, after in itertools.pairwise(ends)]
    return {
        "peak_mib": _peak_mib(),
        "of_steps_mib": _peak_mib() - before,
        "cpu_seconds": statistics.median(times),
        "loss": ends[-1][1],
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
