"""Measure each family of encoders against PyTorch's model of the same configuration.

    python benchmarks/families.py --torch=PYTHON [--hidden=384 --layers=6 --train] [family ...]

PYTHON is an interpreter with torch and transformers. Both models have the family's configuration as
ftkeras writes it, random weights, and rows of 128 tokens. They run in processes of their own, which
take turns, on one thread each; only one works at a time. Ours is a `tf.function`, without XLA, and
PyTorch's is eager, with its default attention. A call computes the last states of all tokens or,
with --train, their gradients too, with dropout and without an optimizer. The script prints medians
of tokens per second, and the median of the ratios of neighbouring calls.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

VOCABULARY, LENGTH, WARM = 5000, 128, 2


def serve(call) -> None:
    """Call a function each time the parent asks for it, and tell how long that took."""
    for _ in range(WARM):
        call()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        call()
        print(time.perf_counter() - start, flush=True)


def ours(options: argparse.Namespace) -> None:
    """Serve our encoder, and write its configuration for PyTorch."""
    import numpy as np
    import tensorflow as tf

    from ftkeras import catalog

    cls = catalog.find("encoder", options.family)
    sizes = {"hidden": options.hidden, "layers": options.layers, "heads": 12}
    encoder = cls(vocabulary_size=VOCABULARY, **sizes, seed=0, pooler=False)
    (options.folder / "config.json").write_text(json.dumps(encoder.huggingface_config()))
    ids = tf.constant(np.random.default_rng(0).integers(5, VOCABULARY, (options.batch, LENGTH)))

    @tf.function(autograph=False)
    def step() -> list:
        if not options.train:
            return encoder(ids)["sequence"]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(encoder(ids, training=True)["sequence"]))
        return tape.gradient(loss, [v.value for v in encoder.trainable_variables])

    serve(lambda: tf.nest.map_structure(lambda x: tf.convert_to_tensor(x).numpy()[:1], step()))


def theirs(options: argparse.Namespace) -> None:
    """Serve PyTorch's model."""
    import torch
    import transformers

    torch.set_num_threads(1)
    config = transformers.AutoConfig.from_pretrained(options.folder)
    model = transformers.AutoModel.from_config(config).train(options.train)
    ids = torch.randint(5, VOCABULARY, (options.batch, LENGTH))

    def step() -> None:
        if not options.train:
            with torch.inference_mode():
                model(ids)
            return
        model.zero_grad()
        model(ids).last_hidden_state.square().mean().backward()

    serve(step)


def start(python: str, side: str, family: str, folder: str, rest: list[str]) -> subprocess.Popen:
    """Start a worker, and wait until it is ready."""
    command = [python, __file__, f"--side={side}", f"--folder={folder}", *rest, family]
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    worker = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **threads, **quiet},
    )
    if worker.stdout.readline() != "ready\n":
        raise RuntimeError(f"{' '.join(command)} failed")
    return worker


def seconds(worker: subprocess.Popen) -> float:
    """Ask a worker for one call, and return its duration."""
    worker.stdin.write("\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def race(options: argparse.Namespace, family: str, rest: list[str]) -> None:
    """Print the speeds of a family."""
    with tempfile.TemporaryDirectory() as folder:
        workers = [
            start(python, side, family, folder, rest)
            for side, python in (("ours", sys.executable), ("theirs", options.torch))
        ]
        times = [[seconds(worker) for worker in workers] for _ in range(options.rounds)]
        for worker in workers:
            worker.stdin.close()
            worker.wait()
    tokens = options.batch * LENGTH
    speeds = [tokens / statistics.median(column) for column in zip(*times, strict=True)]
    ratio = statistics.median(b / a for a, b in times)
    print(f"{family:12} {speeds[0]:8.0f} {speeds[1]:8.0f} {ratio:6.2f}", flush=True)


def main() -> None:
    """Measure the families, or be a worker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("families", nargs="*")
    parser.add_argument("--torch", help="an interpreter with torch and transformers")
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        options.family = options.families[0]
        return {"ours": ours, "theirs": theirs}[options.side](options)
    rest = [f"--{name}={getattr(options, name)}" for name in ("hidden", "layers", "batch")]
    rest += ["--train"] * options.train
    names = options.families or [
        *("albert", "bert", "deberta_v2", "distilbert", "electra", "gpt2", "modernbert", "mpnet"),
        "roberta",
    ]
    print(f"{options.layers} x {options.hidden}, {options.batch} x {LENGTH} tokens, {rest[3:]}")
    print(f"{'family':12} {'ours':>8} {'PyTorch':>8} {'ratio':>6}   tokens per second")
    for family in names:
        race(options, family, rest)
    return None


if __name__ == "__main__":
    main()
