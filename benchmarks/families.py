"""Compare each family of encoders with PyTorch's model of the same configuration.

    python benchmarks/families.py --torch=PYTHON [--hidden=384 --layers=6 --train] [family ...]
    python benchmarks/families.py --parity

PYTHON is an interpreter with torch and transformers. Both models have the family's configuration as
ftkeras writes it, random weights, and rows of 128 tokens. They run in separate processes with one
thread each, which take turns. Ours is a `tf.function`, without XLA; PyTorch's is eager, with its
default attention. A call computes the last states of all tokens. With --train, it also computes
their gradients, with dropout and without an optimizer. The script prints the median of tokens per
second, and the median of the ratios of neighbouring calls.

--parity prints the largest difference between our hidden states and PyTorch's, in any layer of the
small networks that tests/encoders/make_fixtures.py wrote.
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
from collections.abc import Callable

VOCABULARY, LENGTH, WARM = 5000, 128, 2


def serve(build: Callable[[dict], Callable[[], object]]) -> None:
    """Answer requests: build a model, or call the model built last and report the seconds."""
    call = None
    for line in sys.stdin:
        if asked := line.strip():
            call = build(json.loads(asked))
            for _ in range(WARM):
                call()
            print("ready", flush=True)
            continue
        start = time.perf_counter()
        call()
        print(time.perf_counter() - start, flush=True)


def ours(asked: dict) -> Callable[[], object]:
    """Build our encoder, write its configuration for PyTorch, and return a function to call it."""
    import numpy as np
    import tensorflow as tf

    from ftkeras import catalog

    cls = catalog.find("encoder", asked["family"])
    sizes = {"hidden": asked["hidden"], "layers": asked["layers"], "heads": 12}
    # A padding token that is in the vocabulary, and in no row.
    encoder = cls(vocabulary_size=VOCABULARY, **sizes, seed=0, pooler=False, pad_id=1)
    path = pathlib.Path(asked["folder"]) / "config.json"
    path.write_text(json.dumps(encoder.huggingface_config()))
    ids = tf.constant(np.random.default_rng(0).integers(5, VOCABULARY, (asked["batch"], LENGTH)))

    @tf.function(autograph=False)
    def step() -> object:
        if not asked["train"]:
            return encoder(ids)["sequence"]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(encoder(ids, training=True)["sequence"]))
        return tape.gradient(loss, [v.value for v in encoder.trainable_variables])

    return lambda: tf.nest.map_structure(lambda x: tf.convert_to_tensor(x).numpy(), step())


def theirs(asked: dict) -> Callable[[], object]:
    """Build PyTorch's model, and return a function to call it."""
    import torch
    import transformers

    torch.set_num_threads(1)
    config = transformers.AutoConfig.from_pretrained(asked["folder"])
    model = transformers.AutoModel.from_config(config).train(asked["train"])
    ids = torch.randint(5, VOCABULARY, (asked["batch"], LENGTH))

    def step() -> None:
        if not asked["train"]:
            with torch.inference_mode():
                model(ids)
            return
        model.zero_grad()
        model(ids).last_hidden_state.square().mean().backward()

    return step


def start(python: str, side: str) -> subprocess.Popen:
    """Start a worker."""
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [python, __file__, f"--side={side}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **threads, **quiet},
    )


def ask(worker: subprocess.Popen, what: str = "") -> str:
    """Send a line to a worker, and return its answer."""
    worker.stdin.write(f"{what}\n")
    worker.stdin.flush()
    if not (answer := worker.stdout.readline()):
        raise RuntimeError(f"a worker failed at {what or 'a call'}")
    return answer


def race(workers: list[subprocess.Popen], asked: dict, rounds: int) -> None:
    """Print the speeds of a family."""
    with tempfile.TemporaryDirectory() as folder:
        for worker in workers:
            ask(worker, json.dumps({**asked, "folder": folder}))
        times = [[float(ask(worker)) for worker in workers] for _ in range(rounds)]
    tokens = asked["batch"] * LENGTH
    speeds = [tokens / statistics.median(column) for column in zip(*times, strict=True)]
    ratio = statistics.median(b / a for a, b in times)
    print(f"{asked['family']:12} {speeds[0]:8.0f} {speeds[1]:8.0f} {ratio:6.2f}", flush=True)


def parity() -> None:
    """Print the largest difference between the hidden states, for each family."""
    import numpy as np
    from keras import ops

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    from tests.encoders import test_families as tested
    from tests.encoders.golden import FIXTURES, MODELS, pretrained_bert

    encoders = {f"bert, {name}": (name, pretrained_bert(FIXTURES / name)) for name in MODELS}
    encoders |= {name: (name, tested.encoder_of(name)) for name in sorted(tested.FAMILIES)}
    for title, (name, encoder) in encoders.items():
        worst = 0.0
        for case in tested.golden(name).values():
            given, is_token = tested.inputs(case)
            given = {key: value for key, value in given.items() if key != "pooled"}
            states = encoder.hidden_states(**given)
            for found, wanted in zip(states, case["states"], strict=True):
                found = ops.convert_to_numpy(found)
                if found.shape != wanted.shape:  # of long rows, every ninth position is stored
                    continue
                difference = np.abs(found - wanted)[is_token]
                worst = max(worst, float(difference.max()))
        print(f"{title:20} {worst:.1e}")


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
    parser.add_argument("--parity", action="store_true")
    parser.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.parity:
        return parity()
    if options.side:
        return serve({"ours": ours, "theirs": theirs}[options.side])
    keys = ("hidden", "layers", "batch", "train")
    names = options.families or [
        *("albert", "bert", "deberta_v2", "distilbert", "electra", "gpt2", "modernbert", "mpnet"),
        "roberta",
    ]
    print(f"{options.layers} x {options.hidden}, {options.batch} x {LENGTH} tokens")
    print(f"{'family':12} {'ours':>8} {'PyTorch':>8} {'ratio':>6}   tokens per second")
    workers = [start(sys.executable, "ours"), start(options.torch, "theirs")]
    for family in names:
        asked = {key: getattr(options, key) for key in keys}
        race(workers, {"family": family, **asked}, options.rounds)
    for worker in workers:
        worker.stdin.close()
        worker.wait()
    return None


if __name__ == "__main__":
    main()
