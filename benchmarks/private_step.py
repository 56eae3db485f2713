"""Compare the cost of a private training step with that of an ordinary one.

    python benchmarks/private_step.py --encoder=FOLDER [--policy=lora]
    python benchmarks/private_step.py --encoder=FOLDER --memory=private --texts=64

Measures the CPU seconds of a step with 8 texts and of one with 40 texts, each of 5 to 32 tokens.
From these it computes the cost of one more text. CPU seconds depend little on the other load of the
machine. `--encoder` is a folder or a Hub id. With --memory, the process measures the memory of one
kind of step, with texts of 128 tokens.
"""

import argparse
import resource
import time

import numpy as np

from ftkeras import catalog, encoders
from ftkeras.heads.classification import Classification
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.optimizers.adamw import AdamW
from ftkeras.privacy import Sampling
from ftkeras.privacy.dp_sgd import DPSGD
from ftkeras.training.finetuner import FineTuner

SIZES, STEPS = (8, 40), 3
RUN = Sampling(examples=3000, batch_size=40, steps=100, key=b"benchmark")


def build(encoder: str, policy: str, private: bool) -> FineTuner:
    """Return a compiled model with two classes."""
    model = FineTuner(
        encoder=encoders.from_pretrained(encoder), head=Classification(classes=2), pad_id=0
    )
    catalog.build("policy", policy, seed=1).prepare(model)
    mechanism = DPSGD(noise=1.0, delta=1e-5, sampling=RUN) if private else None
    model.compile(
        optimizer=AdamW(learning_rate=1e-4),
        loss=CrossEntropy(),
        private=mechanism,
        auto_scale_loss=False,
    )
    return model


def batch(size: int, private: bool, rng: np.random.Generator, shortest=5, longest=32) -> tuple:
    """Return texts of random tokens and lengths, for a private step each as its own micro-batch."""
    ids = rng.integers(1000, 20_000, size=(size, longest), dtype=np.int32)
    ids[np.arange(longest) >= rng.integers(shortest, longest + 1, size=(size, 1))] = 0
    labels = rng.integers(2, size=size)
    if private:
        ids, labels = ids[:, None], labels[:, None]
    return {"token_ids": ids}, labels


def measure(model: FineTuner, size: int, private: bool) -> float:
    """Return the CPU seconds of a step."""
    rng = np.random.default_rng(0)
    batches = [batch(size, private, rng) for _ in range(STEPS + 1)]
    model.train_on_batch(*batches[0])  # traces
    start = time.process_time()
    for one in batches[1:]:
        model.train_on_batch(*one)
    return (time.process_time() - start) / STEPS


def report_memory(encoder: str, policy: str, kind: str, size: int) -> None:
    """Print the memory that two steps take in addition to weights and imported libraries."""
    model = build(encoder, policy, kind == "private")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng = np.random.default_rng(0)
    for _ in range(2):
        model.train_on_batch(*batch(size, kind == "private", rng, 128, 128))
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    print(f"{kind}: {more:,.0f} MiB more for steps of {size} texts; {trained:,} numbers train")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--policy", default="full")
    parser.add_argument("--memory", choices=("ordinary", "private"))
    parser.add_argument("--texts", type=int, default=64)
    options = parser.parse_args()
    if options.memory:
        report_memory(options.encoder, options.policy, options.memory, options.texts)
        return
    for private in (False, True):
        model = build(options.encoder, options.policy, private)
        small, large = (measure(model, size, private) for size in SIZES)
        each = (large - small) / (SIZES[1] - SIZES[0])
        name = "private" if private else "ordinary"
        print(
            f"{name:>8}: {large:.2f} s a step of {SIZES[1]} texts, {1000 * each:.0f} ms a text",
            flush=True,
        )


if __name__ == "__main__":
    main()
