"""What a long run keeps in memory, and what a checkpoint of a base-size model costs to write.

    python benchmarks/long_run.py

Trains a tiny model for 3,000 steps with a checkpoint every 100 and prints the resident memory every
500; then writes three checkpoints of 110 M parameters with two moments each, and reads one.
"""

import itertools
import pathlib
import tempfile
import time

import numpy as np
import psutil

from ftkeras.checkpoints.training_state import Checkpoints, Place, State
from ftkeras.config.run import Config
from ftkeras.training.progress import Progress
from ftkeras.verbs import train

PARAMETERS = 110_000_000
SHOWN_EVERY = 500


def _train(folder: pathlib.Path) -> None:
    config = Config(
        task="quickstart",
        encoder="bert(vocabulary='reviews', layers=2, hidden=32, heads=2)",
        train_examples=800,
        validation_examples=100,
        test_examples=50,
        max_length=64,
        batch_size=8,
        epochs=30,
        export=(),
        checkpoint_every="100",
        run_dir=str(folder / "run"),
    )
    counted, steps = Progress.on_train_batch_end, itertools.count(1)

    def measured(self, batch, logs=None):
        counted(self, batch, logs)
        if (step := next(steps)) % SHOWN_EVERY == 0:
            held = psutil.Process().memory_info().rss / 2**20
            print(f"step {step:5,}  {held:8.1f} MiB", flush=True)

    Progress.on_train_batch_end = measured
    train.run(config)


def _write(folder: pathlib.Path) -> None:
    draws = np.random.default_rng(0)
    tensors = {
        f"variable_{number}": draws.normal(size=(3, PARAMETERS // 100)).astype("float32")
        for number in range(100)
    }
    checkpoints = Checkpoints(folder / "checkpoints", keep=1)
    state = State(Place(), updates=1, tensors=tensors, facts={})
    for _ in range(3):
        began = time.perf_counter()
        checkpoints.write(state)
        print(f"{sum(t.nbytes for t in tensors.values()) / 1e9:.2f} GB written in", end=" ")
        print(f"{time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    checkpoints.newest()
    print(f"read and checked in {time.perf_counter() - began:.1f} s")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _train(pathlib.Path(folder))
        _write(pathlib.Path(folder))


if __name__ == "__main__":
    main()
