"""Measure the memory of a long run, and the time to write a checkpoint of a base-size model.

    python benchmarks/long_run.py

Trains a tiny model for 3,000 steps with a checkpoint every 100 steps, and prints the resident
memory every 500 steps. Then writes three checkpoints of 110 M parameters with two moments each, and
reads one of them.
"""

import itertools
import pathlib
import tempfile
import time

import numpy as np
import psutil

from ftkeras.checkpoints.training_state import Checkpoints, Position, State
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
        learning_rate=3e-5,
        export=(),
        checkpoint_every="100",
        run_dir=str(folder / "run"),
    )
    original, steps = Progress.on_train_batch_end, itertools.count(1)

    def with_memory(self, batch, logs=None):
        original(self, batch, logs)
        if (step := next(steps)) % SHOWN_EVERY == 0:
            resident = psutil.Process().memory_info().rss / 2**20
            print(f"step {step:5,}  {resident:8.1f} MiB", flush=True)

    Progress.on_train_batch_end = with_memory
    train.run(config)


def _write(folder: pathlib.Path) -> None:
    rng = np.random.default_rng(0)
    tensors = {
        f"variable_{number}": rng.normal(size=(3, PARAMETERS // 100)).astype("float32")
        for number in range(100)
    }
    checkpoints = Checkpoints(folder / "checkpoints", keep=1)
    state = State(Position(), updates=1, tensors=tensors, facts={})
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
