"""Compare the evaluation of a run, per text, with the forward passes that it consists of.

    python benchmarks/evaluation.py --run_dir=runs/imdb/… --data=reviews.txt --texts=512

Both compute the same batches of the same token ids, in turn. An evaluation also assembles the
batches, and collects and orders the outputs. The script prints the CPU and wall-clock seconds of
each round, and the median of their ratios.
"""

import argparse
import pathlib
import statistics
import time
from collections.abc import Callable

from ftkeras.cli import quiet

quiet.import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from ftkeras.experiment import answering, feeds  # noqa: E402
from ftkeras.training.validation import predict_in_order  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run_dir", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="a text per line")
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    experiment = answering.open_run(given.run_dir)
    lines = given.data.read_text(encoding="utf-8").splitlines()[: given.texts]
    examples = answering.read_texts(experiment, tf.data.Dataset.from_tensor_slices({"text": lines}))
    feed, model = feeds.ordered_feed(experiment, examples), experiment.model
    batches = [batch[0] for batch in feed.dataset()]
    forward = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)

    def passes() -> np.ndarray:
        return np.concatenate([forward(batch).numpy() for batch in batches])

    def evaluation() -> np.ndarray:
        return predict_in_order(model, feed)

    for run in (passes, evaluation):
        run()  # traces
    ratios: dict[str, list[float]] = {"CPU": [], "wall-clock": []}
    for number in range(given.rounds):
        # The first of a round alternates, in case the load changes within rounds.
        order = (passes, evaluation) if number % 2 else (evaluation, passes)
        seconds = {run: measured(run) for run in order}
        for n, clock in enumerate(ratios):
            ratios[clock].append(seconds[evaluation][n] / seconds[passes][n])
        shown = [
            f"{run.__name__} {cpu:.2f} s of CPU, {wall:.2f} s"
            for run, (cpu, wall) in seconds.items()
        ]
        print("; ".join(shown), flush=True)
    tokens = int(examples.lengths.sum())
    for clock, values in ratios.items():
        print(f"{clock}: {statistics.median(values):.3f} of the forward passes, {tokens:,} tokens")


def measured(run: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU and wall-clock seconds of a function."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    main()
