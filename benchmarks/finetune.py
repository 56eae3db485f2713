r"""Compare the speed of ftkeras and other libraries, fine-tuning on the same IMDb reviews.

    python benchmarks/imdb_subset.py --flagfile=flags/imdb.cfg --data_dir=… --train_examples=512 \
        reviews
    python benchmarks/finetune.py --reviews=reviews/train.jsonl --vocabulary=vocab.txt \
        --layers=4 --hidden=256 --max_length=512 --out=finetune.json \
        --python tfbert=…/bin/python --python kerashub=…/bin/python --python pytorch=…/bin/python

Each system runs in its own environment, and is omitted without its `--python`. The files in
benchmarks/peers say what each environment needs, and which variants there are. All systems stay in
memory until the end. If memory is too small, select some with `--only="tfbert max_length"`, which
may be repeated. TensorFlow always uses oneDNN's kernels (`TF_ENABLE_ONEDNN_OPTS=1`), which it
enables by default on some processors only.

With `--gpu`, our network and PyTorch train on a GPU in mixed bfloat16. Our network then runs on
Keras's JAX backend, which this script's own interpreter must have. The memory shown is that of the
device.

With `--predict`, ours and TFBert predict instead of training. Ours puts texts of similar length
together, as `evaluate` does. With 512 reviews, `--steps=32` predicts all of them in a turn.

Each system starts alone, so that others do not slow down its first step. Then, in each round, every
system trains for a few steps while the others wait, so that other load on the machine affects all
of them equally. The script prints medians over the rounds and, in brackets, the lowest and highest
ratio to ftkeras, for

- reviews and real tokens per second
- the computation, relative to a large matrix product measured in the same round
- seconds from the start of the process to the end of its first step
- peak memory

If other programs use the machine, rely on the CPU seconds. They are those of the whole process with
all its threads, and do not include waiting for a core.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
from peers.turns import MARK

PEERS = pathlib.Path(__file__).parent / "peers"
VARIANTS = {
    "ours": ("auto", "padded"),
    "tfbert": ("max_length", "max_length_xla", "batch"),
    "kerashub": ("max_length", "max_length_graph", "batch_graph"),
    "pytorch": ("random", "group_by_length"),
}
VARIANTS_ON_GPU = {
    "ours_on_jax": ("packed", "bucketed", "padded"),
    "pytorch": ("random", "group_by_length", "random_compiled"),
}
SIDE, SIDE_ON_GPU = 3072, 8192
ENVIRONMENT = {"TF_ENABLE_ONEDNN_OPTS": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


class System:
    """A library in its own process, which trains on request."""

    def __init__(self, name: str, variant: str, python: str, asked: dict):
        self.name = f"{name} {variant}"
        self.process = subprocess.Popen(
            [python, str(PEERS / f"{name}.py"), json.dumps({**asked, "variant": variant})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.first = self._receive()
        self.rounds = []

    def turn(self) -> None:
        """Train for a turn."""
        self._send("go")
        self.rounds.append(self._receive())

    def end(self) -> None:
        """End the process; return its peak memory."""
        self._send("end")
        self.memory = self._receive()["peak_memory"]
        self.process.wait()

    def _send(self, word: str) -> None:
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def _receive(self) -> dict:
        for line in self.process.stdout:
            if line.startswith(MARK):
                return json.loads(line.removeprefix(MARK))
        sys.exit(f"{self.name} ended with status {self.process.wait()}")


def product_gflops() -> float:
    """Return the speed of a large float32 matrix product in GFLOP/s, the median of five."""
    a = np.ones((SIDE, SIDE), "float32")

    def seconds() -> float:
        began = time.perf_counter()
        a @ a
        return time.perf_counter() - began

    return 2 * SIDE**3 / statistics.median(seconds() for _ in range(5)) / 1e9


def product_gflops_on_gpu() -> float:
    """Return the speed of a large bfloat16 matrix product in GFLOP/s."""
    import jax

    a = jax.random.normal(jax.random.key(0), (SIDE_ON_GPU, SIDE_ON_GPU), "bfloat16")
    product = jax.jit(lambda a: a @ a)
    product(a).block_until_ready()
    began = time.perf_counter()
    for _ in range(8):
        last = product(a)
    last.block_until_ready()
    return 8 * 2 * SIDE_ON_GPU**3 / (time.perf_counter() - began) / 1e9


def step_gflop(asked: dict, layers: int, computed: float, rows_length: float) -> float:
    """Return the GFLOP of a step on `computed` positions: matrix products and attention.

    Training takes three times as much as the forward pass.
    """
    hidden, passes = asked["hidden"], 1 if asked["predict"] else 3
    products = 2 * 12 * layers * hidden**2
    attention = 4 * layers * hidden * rows_length
    return passes * computed * (products + attention) / 1e9


def metrics(system: System, asked: dict, ceilings: list[float]) -> dict:
    """Return all metrics of a system, with one value per round for each."""

    def rates(what: str) -> list[float]:
        return [round_[what] / round_["seconds"] for round_ in system.rounds]

    # Ours computes almost nothing of the last layer, because the head reads only first tokens.
    layers = asked["layers"] - system.name.startswith("ours")
    # The length of rows is not known exactly: assume the mean over the round.
    shares = [
        step_gflop(asked, layers, r["computed"], r["computed"] / r["reviews"])
        / (r["seconds"] * ceiling)
        for r, ceiling in zip(system.rounds, ceilings, strict=True)
    ]
    return {
        "reviews_per_second": rates("reviews"),
        "tokens_per_cpu_second": [r["tokens"] / r["cpu_seconds"] for r in system.rounds],
        "tokens_per_second": rates("tokens"),
        "share_of_product": shares,
        **{name: [value] for name, value in system.first.items()},
        "peak_memory_bytes": [system.memory],
    }


def table(results: dict) -> str:
    """Return the metrics as Markdown, with ratios to the first system in the same round.

    Ratios compare real tokens, because the few batches of a turn may contain short reviews only.
    """
    first = next(iter(results.values()))
    lines = [
        "| system | reviews/s | tokens/s | over ours | in CPU time | of a product | first step | "
        "in CPU time | memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, found in results.items():
        share = 100 * statistics.median(found["share_of_product"])
        lines.append(
            f"| {name} | {statistics.median(found['reviews_per_second']):.2f} | "
            f"{statistics.median(found['tokens_per_second']):,.0f} | "
            f"{_over(found, first, 'tokens_per_second')} | "
            f"{_over(found, first, 'tokens_per_cpu_second')} | {share:.0f} % | "
            f"{found['seconds_to_first_step'][0]:.1f} s | "
            f"{found['cpu_seconds_to_first_step'][0]:.1f} s | "
            f"{found['peak_memory_bytes'][0] / 2**30:.2f} GiB |"
        )
    return "\n".join(lines) + "\n"


def _over(found: dict, first: dict, what: str) -> str:
    """Return the median, lowest and highest ratio to the first system in each round."""
    ratios = [one / other for one, other in zip(found[what], first[what], strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=pathlib.Path, required=True, help="a JSONL file")
    parser.add_argument("--vocabulary", type=pathlib.Path, required=True, help="a vocab.txt")
    parser.add_argument("--checkpoint", type=pathlib.Path, help="a folder; default: random weights")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--heads", type=int, help="default: one per 64 of hidden")
    parser.add_argument("--max_length", type=int, default=512)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=4, help="per turn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", action="append", default=[], help="SYSTEM=its interpreter")
    parser.add_argument("--gpu", action="store_true", help="train on a GPU in mixed bfloat16")
    parser.add_argument("--predict", action="store_true", help="instead of training")
    parser.add_argument("--only", action="append", help="a system and its variant; default: all")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON, all rounds")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    asked = {
        "reviews": str(given.reviews.resolve()),
        "vocabulary": str(given.vocabulary.resolve()),
        "checkpoint": given.checkpoint and str(given.checkpoint.resolve()),
        "heads": given.heads or given.hidden // 64,
        **{name: getattr(given, name) for name in ("layers", "hidden", "max_length", "steps")},
        "batch_size": given.batch_size,
        "predict": given.predict,
        "gpu": given.gpu,
    }
    os.environ.update(ENVIRONMENT)
    variants = VARIANTS_ON_GPU if given.gpu else VARIANTS
    pythons = {next(iter(variants)): sys.executable} | dict(
        pair.split("=", 1) for pair in given.python
    )
    systems = []
    for name, python in pythons.items():
        for variant in variants[name]:
            if given.only and f"{name} {variant}" not in given.only:
                continue
            systems.append(System(name, variant, python, asked))
            print(
                f"{systems[-1].name}: first step after "
                f"{systems[-1].first['seconds_to_first_step']:.1f} s",
                flush=True,
            )
    ceilings = []
    for _ in range(given.rounds):
        ceilings.append(product_gflops_on_gpu() if given.gpu else product_gflops())
        for system in systems:
            system.turn()
    for system in systems:
        system.end()
    results = {system.name: metrics(system, asked, ceilings) for system in systems}
    settings = {**asked, "product_gflops": ceilings}
    given.out.write_text(json.dumps({"settings": settings, "systems": results}, indent=2) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
