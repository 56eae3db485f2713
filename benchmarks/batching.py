"""Real tokens a second of training on IMDb reviews, by how they come together in batches.

    python benchmarks/batching.py --data_dir=tfds --vocabulary=vocab.txt --max_length=512

In one process, each round is a batch of every batching, one after the other, so that what else the
machine does meets all alike. A token of padding counts for nothing.
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


class Figures(NamedTuple):
    """Of a batch: its real tokens, all that are computed, seconds of the wall and the processor."""

    real: int
    computed: int
    seconds: float
    busy: float


def arguments():
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
    """One batching with a model of its own."""

    def __init__(self, config: Config, experiment, examples):
        model = experiment.model
        batching = feeds.batching(config, pad_id=model.pad_id)
        feed = TrainingFeed(examples, batching, seed=0)
        optimization.compile_to_train(experiment, total_steps=len(feed))
        self.step = model.make_train_function() or model.train_function
        self.batches = iter(feed.dataset(0))
        plan = zip(feed.batches(0), feed.dataset(0), strict=True)
        self.sizes = (
            (int(examples.lengths[held].sum()), int(tf.size(batch[0]["token_ids"])))
            for held, batch in plan
        )

    def measure(self) -> Figures:
        """One batch, trained on."""
        wall, cpu = time.perf_counter(), time.process_time()
        float(self.step(self.batches)["loss"])
        seconds, busy = time.perf_counter() - wall, time.process_time() - cpu
        return Figures(*next(self.sizes), seconds, busy)


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
        )
        for name in given.batchings
    }
    experiments = {name: build.experiment(config) for name, config in configs.items()}
    first = experiments[FIRST]
    with open_splits(configs[FIRST], first.task, first.text_layer) as splits:
        runners = {n: Runner(configs[n], experiments[n], splits.train) for n in configs}
        for runner in runners.values():  # traced, and warm
            runner.measure(), runner.measure()
        rounds = [{name: r.measure() for name, r in runners.items()} for _ in range(given.rounds)]
    for name in configs:
        print(
            json.dumps({"batching": name, "max_length": given.max_length, **summary(name, rounds)})
        )


def summary(name: str, rounds: list[dict[str, Figures]]) -> dict:
    """Real tokens a second over all rounds, and how many times the first batching's."""
    own, first = ([figures[of] for figures in rounds] for of in (name, FIRST))
    halves = [rate(own[half::2], "seconds") / rate(first[half::2], "seconds") for half in (0, 1)]
    return {
        "tokens_per_second": round(rate(own, "seconds")),
        f"over_{FIRST}": round(rate(own, "seconds") / rate(first, "seconds"), 2),
        "in_each_half_of_the_rounds": [round(half, 2) for half in halves],
        f"over_{FIRST}_by_processor_time": round(rate(own, "busy") / rate(first, "busy"), 2),
        "real_share_of_tokens": round(sum(f.real for f in own) / sum(f.computed for f in own), 3),
    }


def rate(figures: list[Figures], clock: str) -> float:
    """Real tokens a second, by the wall's clock (seconds) or the processor's (busy)."""
    return sum(f.real for f in figures) / sum(getattr(f, clock) for f in figures)


if __name__ == "__main__":
    main()
