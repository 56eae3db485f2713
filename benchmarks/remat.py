"""What `--remat` saves in memory and costs in time, each way in a process of its own, in turn.

    python benchmarks/remat.py --layers=12 --hidden=256 --batch=16 --length=512

Printed are, a way, the most memory that its process held, what of it came with the first step, and
CPU seconds a step (the median of all turns).
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--way", choices=("kept", "recomputed"), help="to measure one, here")
    given = parser.parse_args()
    if given.way:
        print(json.dumps(measured(given)))
        return
    ways = {"kept": [], "recomputed": []}
    for _ in range(given.turns):
        for way, turns in ways.items():
            command = [sys.executable, __file__, *sys.argv[1:], f"--way={way}"]
            output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
            turns.append(json.loads(output.splitlines()[-1]))
    for way, turns in ways.items():
        middle = {name: statistics.median(t[name] for t in turns) for name in turns[0]}
        print(
            f"{way:10} {middle['peak_mib']:,.0f} MiB, {middle['of_steps_mib']:,.0f} of it steps; "
            f"{middle['cpu_seconds']:.2f} CPU seconds a step; loss {middle['loss']:.6f}"
        )


def measured(given: argparse.Namespace) -> dict[str, float]:
    """Trains on one batch of random tokens again and again."""
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
    hooks = LayerHooks(recompute=given.way == "recomputed")
    encoder = Bert(**sizes, vocabulary_size=30522, positions=given.length, seed=1, hooks=hooks)
    model = FineTuner(encoder=encoder, head=Classification(classes=2, seed=1), pad_id=0)
    model.compile(optimizer=AdamW(learning_rate=1e-4), loss=CrossEntropy())
    draw = np.random.default_rng(0)
    token_ids = draw.integers(1, 30522, (given.batch, given.length)).astype("int32")
    batch = tf.data.Dataset.from_tensors(
        ({"token_ids": token_ids}, draw.integers(0, 2, len(token_ids)))
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
