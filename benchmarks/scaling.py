"""Measure how training speed scales with replicas and workers, each on its own core.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --traffic  # counts bytes only

Measures the same global batch on one core, on two replicas of one process and on two workers, which
exchange all gradients, the rows of embeddings that they looked up, or these in bfloat16. Prints the
table in scaling.md. Efficiency is the speed relative to N times that of one core:

    efficiency(N) = speed(N) / (N * speed(1))

Needs two idle cores. The measurements take turns, so that changes of the machine's speed affect all
of them equally. Tokens per CPU second, over all processes, do not include waiting. They therefore
show even on a busy machine how much work the exchange of gradients adds.

The traffic is that of a ring all-reduce (Patarasuk and Yuan, 2009,
https://doi.org/10.1016/j.jpdc.2008.09.002): per step, each worker sends and receives 2 (N - 1)/N
times the bytes of the gradients. `Exchange.bytes_sent` computes them from the shapes, including
those of embedding rows and of bfloat16; see `multi_worker`.
"""

import argparse
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Steps before measuring starts: they trace the graph and fill the pipelines.
WARM_UP = 5
COMPRESSED = "multi_worker(compress='bfloat16')"
# Strategy, batching and the cores of each process. Workers exchange rows of packed batches only.
SETUPS = {
    "1 process": ("auto", "packed", [{0}]),
    "2 replicas": ("mirrored(logical_devices=2)", "packed", [{0, 1}]),
    "2 workers, all gradients": ("multi_worker", "padded", [{0}, {1}]),
    "2 workers, rows": ("multi_worker", "packed", [{0}, {1}]),
    "2 workers, rows in bfloat16": (COMPRESSED, "packed", [{0}, {1}]),
}
# Parameters without the table of token embeddings, and its width.
MODELS = {
    "4 layers of 256": (3_291_392, 256),
    "BERT base": (86_041_344, 768),
    "BERT large": (303_887_360, 1024),
}
SIZES = {"layers": 4, "hidden": 256, "batch": 32, "length": 256, "steps": 20, "turns": 3}
VOCABULARY = 30_522
TOKENS = 4_096  # of each worker in a step, in batches of one shape


def main() -> None:
    options = _options()
    if options.traffic:
        print(_traffic())
        return
    if options.strategy:
        print(json.dumps(measure(options)))
        return
    speeds = {name: [] for name in SETUPS}
    for _ in range(options.turns):
        for name, setup in SETUPS.items():
            speeds[name].append(_speed(options, *setup))
            wall, cpu = speeds[name][-1]
            print(f"{name}: {wall:,.0f} tokens/s, {cpu:,.0f} per CPU second", file=sys.stderr)
    medians = {
        name: tuple(map(statistics.median, zip(*turns, strict=True)))
        for name, turns in speeds.items()
    }
    print(_table(options, medians))
    print()
    print(_traffic())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--strategy", help="measure one in this process")
    parser.add_argument("--batching", default="packed", help="of that strategy")
    parser.add_argument("--traffic", action="store_true", help="only count the bytes exchanged")
    return parser.parse_args()


def _speed(
    options: argparse.Namespace, strategy: str, batching: str, cores: list[set[int]]
) -> tuple[float, float]:
    """Return tokens per second and per CPU second of processes, each bound to its core."""
    sys.path.insert(0, str(ROOT))
    from ftkeras.processes.supervisor import free_ports
    from ftkeras.strategies import Cluster

    given = {name: getattr(options, name) for name in SIZES}
    given |= {"strategy": strategy, "batching": batching}
    command = [sys.executable, __file__, *(f"--{name}={value}" for name, value in given.items())]
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(len(cores)))
    processes = []
    for worker, own in enumerate(cores):
        cluster = {"TF_CONFIG": Cluster(addresses, worker).tf_config()}
        environment = {
            **os.environ,
            **(cluster if strategy.startswith("multi_worker") else {}),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": str(len(own)),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        pinned = ["taskset", "--cpu-list", ",".join(map(str, sorted(own))), *command]
        processes.append(subprocess.Popen(pinned, env=environment, stdout=subprocess.PIPE))
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit(f"{strategy}: a process failed")
    found = [json.loads(output.splitlines()[-1]) for output in outputs]
    tokens = found[0]["tokens"]
    return tokens / found[0]["seconds"], tokens / sum(one["cpu_seconds"] for one in found)


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Train on synthetic texts of full length; return the speed of the whole cluster."""
    from ftkeras import catalog

    devices = catalog.build("strategy", options.strategy).open()

    import time

    import keras

    from ftkeras.data.batching.packed import Packed
    from ftkeras.data.batching.padded import Padded
    from ftkeras.data.feed import TrainingFeed
    from ftkeras.training import epochs

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.read = []

        def on_train_batch_end(self, batch, logs=None):
            float(logs["loss"])  # waits for the step
            self.read.append((time.perf_counter(), time.process_time()))

    clock, steps = Clock(), options.steps + WARM_UP
    examples = _texts(steps * options.batch, options.length)
    made = {"batch_size": options.batch, "pad_id": 0, "parts": devices.replicas}
    is_packed = options.batching == "packed"
    batching = Packed(max_length=options.length, **made) if is_packed else Padded(**made)
    with devices.scope():
        model = _model(options)
    epochs.fit(model, TrainingFeed(examples, batching, seed=0), epochs=1, callbacks=[clock])
    first, last = clock.read[WARM_UP - 1], clock.read[-1]
    seconds, cpu_seconds = (after - before for before, after in zip(first, last, strict=True))
    tokens = options.steps * options.batch * options.length
    return {"tokens": tokens, "seconds": seconds, "cpu_seconds": cpu_seconds}


def _texts(count: int, length: int):
    import numpy as np

    from ftkeras.data.examples import Examples

    return Examples(
        token_ids=np.random.default_rng(0).integers(1, 1000, count * length).astype(np.int32),
        offsets=np.arange(count + 1) * length,
        second_starts=np.full(count, length, np.int32),
        stored_targets=np.arange(count) % 2,
        stored_digests=np.arange(count, dtype=np.uint64),
        rows=np.arange(count),
        name="train",
        pairs=False,
    )


def _model(options: argparse.Namespace):
    from ftkeras.encoders.bert import Bert
    from ftkeras.heads.classification import Classification
    from ftkeras.losses.cross_entropy import CrossEntropy
    from ftkeras.optimizers.adamw import AdamW
    from ftkeras.training.finetuner import FineTuner

    encoder = Bert(
        vocabulary_size=30522,
        layers=options.layers,
        hidden=options.hidden,
        heads=options.hidden // 64,
        positions=options.length,
        seed=0,
    )
    model = FineTuner(encoder=encoder, head=Classification(classes=2, seed=0), pad_id=0)
    model.compile(optimizer=AdamW(learning_rate=1e-4), loss=CrossEntropy(), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def _table(options: argparse.Namespace, speeds: dict[str, tuple]) -> str:
    lines = [
        f"{options.layers} layers, hidden {options.hidden}, {options.batch} texts of "
        f"{options.length} tokens per step; median of {options.turns} turns, {options.steps} steps "
        "each:",
        "",
        "| | cores | tokens/s | efficiency | tokens per CPU second |",
        "|---|---|---|---|---|",
    ]
    alone, _ = speeds["1 process"]
    for name, (speed, by_cpu) in speeds.items():
        cores = sum(len(own) for own in SETUPS[name][-1])
        efficiency = speed / cores / alone
        lines.append(f"| {name} | {cores} | {speed:,.0f} | {efficiency:.2f} | {by_cpu:,.0f} |")
    return "\n".join(lines)


def _traffic() -> str:
    """Return the megabytes that each worker sends in a step, for each way of sending them."""
    lines = [
        "| gradients of | workers | everything | only rows looked up | bfloat16 | both |",
        "|---|---|---|---|---|---|",
    ]
    for name, (others, hidden) in MODELS.items():
        for workers in (2, 4, 8, 16, 256):
            sent = (
                _sent(others, hidden, workers, dtype=dtype, rows=rows) / 1e6
                for dtype, rows in itertools.product((None, "bfloat16"), (False, True))
            )
            numbers = " | ".join(f"{size:,.1f}" for size in sent)
            lines.append(f"| {name} | {workers} | {numbers} |")
    return "\n".join(lines)


def _sent(others: int, hidden: int, workers: int, *, dtype: str | None, rows: bool) -> float:
    """Return the bytes that a worker sends, for the embedding table and for everything else."""
    import tensorflow as tf

    from ftkeras.support.exchange import Exchange

    exchange, shape = Exchange(dtype), (VOCABULARY, hidden)
    table = tf.IndexedSlices(tf.zeros([TOKENS, hidden]), tf.zeros([TOKENS], tf.int32), shape)
    whole, by_rows = exchange.bytes_sent(table, workers)
    dense, _ = exchange.bytes_sent(tf.TensorSpec([others]), workers)
    return dense + (min(whole, by_rows) if rows else whole)


if __name__ == "__main__":
    main()
