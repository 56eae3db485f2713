"""Measure the latency of exported models for batches of token ids, in turns.

    python benchmarks/latency.py saved_models/imdb/1 run/onnx run/litert --rounds=3

Each argument is a folder: a SavedModel, or a folder with model.onnx or model.tflite. The others are
compared with the first. Each turn is a separate process, because a runtime's threads still spin
after a call and slow down everything else in the process. A turn calls the model with random ids,
all of the same length. The table shows the least and the median time over all turns, and the speed
relative to the first model: by the least time, and by the median of the ratios of neighbouring
turns. If the machine has other work, use --threads=1, which measures the CPU time of one thread.
Several threads would wait for each other, and for the other work.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

SIZES = ((1, 32), (1, 256), (8, 128), (8, 256))
Run = Callable[[np.ndarray], object]


def saved_model(folder: pathlib.Path, threads: int) -> Run:
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers the ops of the text layer

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["token_ids"]

    def run(ids: np.ndarray, loaded: object = loaded) -> object:  # keeps the model alive
        return signature(token_ids=tf.constant(ids))["logits"].numpy()

    return run


def onnx(folder: pathlib.Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    path, on = folder / "model.onnx", ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(path, options, providers=on)
    return lambda ids: session.run(["logits"], {"token_ids": ids})[0]


def litert(folder: pathlib.Path, threads: int) -> Run:
    import tensorflow as tf

    path = str(folder / "model.tflite")
    runner = tf.lite.Interpreter(path, num_threads=threads).get_signature_runner("token_ids")
    return lambda ids: runner(token_ids=ids)["logits"]


def load(folder: pathlib.Path, threads: int) -> Run:
    if (folder / "model.onnx").exists():
        return onnx(folder, threads)
    if (folder / "model.tflite").exists():
        return litert(folder, threads)
    return saved_model(folder, threads)


def turn(folder: pathlib.Path, calls: int, threads: int) -> list[tuple[float, float]]:
    """Return the least and the median time of a call in milliseconds, for each size."""
    run, rng = load(folder, threads), np.random.default_rng(0)
    clock = time.process_time if threads == 1 else time.perf_counter
    found = []
    for shape in SIZES:
        ids = rng.integers(1000, 20000, shape).astype(np.int32)
        for _ in range(5):
            run(ids)
        times = []
        for _ in range(calls):
            start = clock()
            run(ids)
            times.append(1000 * (clock() - start))
        found.append((min(times), statistics.median(times)))
    return found


def show(all_turns: dict[pathlib.Path, list]) -> None:
    """Print the table of the turns so far."""
    first = next(iter(all_turns.values()))
    print(f"| model | {' | '.join(f'{batch} × {length}' for batch, length in SIZES)} |")
    print("|---" * (1 + len(SIZES)) + "|")
    for folder, found in all_turns.items():
        cells = []
        for size in range(len(SIZES)):
            least, base = (min(one[size][0] for one in turns) for turns in (found, first))
            median = statistics.median(one[size][1] for one in found)
            pairs = zip(first, found, strict=True)
            ratio = statistics.median(b[size][1] / one[size][1] for b, one in pairs)
            cells.append(f"{least:.1f}, {median:.1f} ms ({base / least:.2f}, {ratio:.2f} ×)")
        print(f"| {folder} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=25, help="per size and turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turn", action="store_true", help="only one model, as JSON")
    asked = parser.parse_args()
    if asked.turn:
        print(json.dumps(turn(asked.models[0], asked.calls, asked.threads)))
        return
    all_turns: dict[pathlib.Path, list] = {folder: [] for folder in asked.models}
    for _ in range(asked.rounds):
        for folder, found in all_turns.items():
            flags = ["--turn", f"--calls={asked.calls}", f"--threads={asked.threads}"]
            command = [sys.executable, __file__, *flags, str(folder)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            found.append(json.loads(done.stdout.splitlines()[-1]))
        show(all_turns)


if __name__ == "__main__":
    main()
