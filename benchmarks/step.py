"""Measure a training step of a randomly initialized encoder, and the time of each kind of op.

    python benchmarks/step.py --layers=4 --hidden=256 --length=320 --batch_size=16
    python benchmarks/step.py … --optimizer=adamw "--optimizer=adamw(lazy=True)"      # in turn

A step consists of forward pass, backward pass, clipping and update, on texts of the same length
without padding. For each optimizer, the script prints the median time of its steps, and the time of
one step by kind of op, from TensorFlow's profiler. The optimizers take turns. The times by op are
summed over threads, so their total is more than the time of the step.
"""

import argparse
import collections
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable

from ftkeras.cli import quiet

quiet.import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from ftkeras import catalog  # noqa: E402
from ftkeras.encoders.bert import Bert  # noqa: E402
from ftkeras.heads.classification import Classification  # noqa: E402
from ftkeras.losses.cross_entropy import CrossEntropy  # noqa: E402
from ftkeras.training.finetuner import FineTuner  # noqa: E402

VOCABULARY = 30522


def build_step(given: argparse.Namespace, optimizer: str) -> Callable[[], object]:
    """Return a traced training step on one batch."""
    heads = given.heads or given.hidden // 64
    sizes = {"layers": given.layers, "hidden": given.hidden, "heads": heads}
    model = FineTuner(
        encoder=Bert(vocabulary_size=VOCABULARY, **sizes, seed=1),
        head=Classification(classes=2, seed=1),
        pad_id=0,
    )
    model.compile(
        optimizer=catalog.build("optimizer", optimizer, learning_rate=1e-5),
        loss=CrossEntropy(),
    )
    model.optimizer.build(model.trainable_variables)
    rng, shape = np.random.default_rng(0), (given.batch_size, given.length)
    # As in English, a few words are frequent and many are rare.
    ids = tf.constant(np.minimum(rng.zipf(1.3, shape), VOCABULARY - 1), tf.int32)
    labels = tf.constant(rng.integers(0, 2, given.batch_size))
    unknown = {"token_ids": tf.TensorSpec((None, None), tf.int32)}, tf.TensorSpec((None,), tf.int64)
    traced = tf.function(
        lambda inputs, labels: model.train_step((inputs, labels)),
        autograph=False,
        input_signature=unknown,
    )
    return lambda: traced({"token_ids": ids}, labels)


def measure(step: Callable[[], object]) -> float:
    """Return the seconds of a step."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def by_op(step: Callable[[], object]) -> collections.Counter:
    """Return the milliseconds of one step by kind of op."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            step()
        (path,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    (plane,) = (plane for plane in space.planes if plane.name == "/host:CPU")
    times = collections.Counter()
    for event in (event for line in plane.lines for event in line.events):
        node, _, op = plane.event_metadata[event.metadata_id].name.rpartition(":")
        if node and not node.endswith(":") and not op.startswith(" "):  # others are the runtime's
            times[op] += event.duration_ps / 1e9
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("layers", 4), ("hidden", 256), ("length", 320), ("batch_size", 16)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--heads", type=int, help="default: one per 64 of hidden")
    parser.add_argument("--optimizer", action="append", help="a spec, repeatable; default: adamw")
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--ops", type=int, default=12, help="number of kinds of op to show")
    given = parser.parse_args()
    steps = {spec: build_step(given, spec) for spec in given.optimizer or ["adamw"]}
    for step in steps.values():
        step()
    seconds = {spec: [] for spec in steps}
    for _ in range(given.steps):
        for spec, step in steps.items():
            seconds[spec].append(measure(step))
    tokens = given.batch_size * given.length
    for spec, step in steps.items():
        median = statistics.median(seconds[spec])
        print(f"{spec}: {1e3 * median:,.1f} ms per step, {tokens / median:,.0f} tokens/s")
        for op, milliseconds in by_op(step).most_common(given.ops):
            print(f"  {milliseconds:9.1f} ms  {op}")


if __name__ == "__main__":
    main()
