"""Measure training speed on IMDb reviews with each batching, in real tokens per second.

    python benchmarks/batching.py --data_dir=tfds --vocabulary=vocab.txt --max_length=512

In one process, each round trains on one batch of every batching in turn, so that other load on the
machine affects all of them equally. Padding tokens are not counted.
"""

import argparse
import json
import time
from typing import NamedTuple

import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.feed import TrainingFeed
from ftkeras.data.splits import open_splits
from ftkeras.experiment import build, feeds, optimization

FIRST = "padded"


class Measurement(NamedTuple):
    """One batch: its real tokens, all computed tokens, wall seconds and CPU seconds."""

    real: int
    computed: int
    seconds: float
    busy: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", help="TensorFlow Datasets' folder")
    parser.add_argument("--vocabulary", required=True, help="a vocab.txt")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--max_length", type=int, default=512)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--reviews", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=40, help="batches of each batching")
    parser.add_argument("--batchings", nargs="+", default=[FIRST, "bucketed", "packed"])
    return parser.parse_args()


class Runner:
    """A batching and its own model."""

    def __init__(self, config: Config, experiment, examples):
        model = experiment.model
        batching = feeds.batching(config, pad_id=model.pad_id)
        feed = TrainingFeed(examples, batching, seed=0)
        optimization.compile_to_train(experiment, total_steps=len(feed))
        self.step = model.make_train_function() or model.train_function
        self.batches = iter(feed.dataset(0))
        plan = zip(feed.batches(0), feed.dataset(0), strict=True)
        self.sizes = (
            (int(examples.lengths[positions].sum()), int(tf.size(batch[0]["token_ids"])))
            for positions, batch in plan
        )

    def measure(self) -> Measurement:
        """Train on one batch."""
        wall, cpu = time.perf_counter(), time.process_time()
        float(self.step(self.batches)["loss"])
        seconds, busy = time.perf_counter() - wall, time.process_time() - cpu
        return Measurement(*next(self.sizes), seconds, busy)


def main() -> None:
    given = arguments()
    encoder = (
        f"bert(layers={given.layers}, hidden={given.hidden}, heads={given.hidden // 64}, "
        f"vocabulary={given.vocabulary!r})"
    )
    configs = {
        name: Config(
            task="imdb",
            data_dir=given.data_dir,
            encoder=encoder,
            train_examples=given.reviews,
            max_length=given.max_length,
            batch_size=given.batch_size,
            batching=name,
            learning_rate=3e-5,
            epochs=3,
        )
        for name in given.batchings
    }
    experiments = {name: build.experiment(config) for name, config in configs.items()}
    first = experiments[FIRST]
    with open_splits(configs[FIRST], first.task, first.text_layer) as splits:
        runners = {n: Runner(configs[n], experiments[n], splits.train) for n in configs}
        for runner in runners.values():  # trace and warm up
            runner.measure(), runner.measure()
        rounds = [{name: r.measure() for name, r in runners.items()} for _ in range(given.rounds)]
    for name in configs:
        print(
            json.dumps({"batching": name, "max_length": given.max_length, **summary(name, rounds)})
        )


def summary(name: str, rounds: list[dict[str, Measurement]]) -> dict:
    """Return real tokens per second over all rounds, also relative to the first batching."""
    own, first = ([measured[key] for measured in rounds] for key in (name, FIRST))
    halves = [rate(own[half::2], "seconds") / rate(first[half::2], "seconds") for half in (0, 1)]
    return {
        "tokens_per_second": round(rate(own, "seconds")),
        f"over_{FIRST}": round(rate(own, "seconds") / rate(first, "seconds"), 2),
        "in_each_half_of_the_rounds": [round(half, 2) for half in halves],
        f"over_{FIRST}_by_processor_time": round(rate(own, "busy") / rate(first, "busy"), 2),
        "real_share_of_tokens": round(sum(f.real for f in own) / sum(f.computed for f in own), 3),
    }


def rate(batches: list[Measurement], clock: str) -> float:
    """Return real tokens per second, by wall-clock time (seconds) or CPU time (busy)."""
    return sum(batch.real for batch in batches) / sum(getattr(batch, clock) for batch in batches)


if __name__ == "__main__":
    main()
