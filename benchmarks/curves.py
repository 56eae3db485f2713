r"""Measure validation curves of each batching over many seeds, on Keras's JAX backend.

    python benchmarks/imdb_subset.py --flagfile=flags/imdb.cfg --data_dir=… --train_examples=3000 \
        --validation_examples=1000 reviews
    python benchmarks/curves.py --reviews=reviews --checkpoint=all-MiniLM-L6-v2 --out=curves.json

A seed determines the initial head, the order of the reviews and the dropout. Head and order are the
same for all batchings; each batching makes its own batches and packed rows. The batches of `padded`
and `bucketed` are padded to a single shape. This does not change the result, but needs only one
compiled program, so one device trains a small encoder hundreds of times in minutes.

For each point, the script prints the mean and the standard deviation over the seeds. For the last
point it also prints the difference of each batching from the first one, paired by seed, with
Student's 95 % interval.
"""

import argparse
import json
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np
from on_jax import Training, batch_of, batching_of, encoder_of, examples_of, plan_of
from scipy import stats
from sklearn import metrics

METRICS = ("loss", "accuracy", "area under the ROC curve")


def stacked(batches: list):
    """Stack batches of the same shape along a new first axis."""
    return jax.tree.map(lambda *arrays: jnp.asarray(np.stack(arrays)), *batches)


class Curves:
    """Trains from the same checkpoint repeatedly.

    Args:
        given: the command line.
    """

    def __init__(self, given: argparse.Namespace):
        self.given, vocabulary = given, given.checkpoint / "vocab.txt"
        self.train, self.validation = (
            examples_of(given.reviews / f"{split}.jsonl", vocabulary, given.max_length)
            for split in ("train", "validation")
        )
        encoder = encoder_of({"checkpoint": given.checkpoint}, given.precision)
        steps = given.epochs * -(-len(self.train) // given.batch_size)
        self.training = Training(encoder, peak=given.learning_rate, steps=steps)
        self.initial = jax.tree.map(np.asarray, self.training.first_state())
        self.measured = stacked(self._batches(self.validation, "padded", 250, seed=0, epoch=0))
        step = self.training.step
        self.run = jax.jit(lambda *given: jax.lax.scan(step, *given), donate_argnums=0)
        self.measure = jax.jit(self._measure)

    def curve(self, name: str, seed: int) -> list[dict]:
        """Return the curve of one run, with a point after each part of an epoch."""
        given, points = self.given, []
        state = self._first_state(seed)
        for epoch in range(given.epochs):
            batches = self._batches(self.train, name, given.batch_size, seed, epoch)
            for part in np.array_split(np.arange(len(batches)), given.points):
                state, losses = self.run(state, stacked([batches[number] for number in part]))
                points.append(self._point(state, np.mean(losses)))
        return points

    def _batches(self, examples, name, batch_size, seed, epoch):
        most = self.given.max_length
        batching = batching_of(name, batch_size=batch_size, max_length=most)
        fixed = {} if batching.fixed_shape else {"rows": batch_size, "width": most}
        plan = plan_of(examples, batching, seed, epoch)
        return [batch_of(examples, batching, positions, **fixed) for positions in plan]

    def _first_state(self, seed):
        """Return the checkpoint's state with a new head and new dropout seeds."""
        learning, others, moments = jax.tree.map(jnp.asarray, self.initial)
        rng, normal = np.random.default_rng(seed), stats.truncnorm(-2, 2, scale=0.02)
        for number, variable in enumerate(self.training.model.trainable_variables):
            if variable.path.endswith("head/kernel"):
                values = normal.rvs(size=variable.shape, random_state=rng)
                learning[number] = jnp.asarray(values, "float32")
        others = [
            jnp.asarray(rng.integers(2**32, size=value.shape), value.dtype) for value in others
        ]
        return learning, others, moments

    def _measure(self, state, batches):
        def one(_, batch):
            return None, self.training.logits(state, batch[0])

        logits = jax.lax.scan(one, None, batches)[1].reshape(-1, 2).astype("float32")
        labels = batches[1].reshape(-1)
        return self.training.mean_loss(logits, labels), logits[:, 1] - logits[:, 0]

    def _point(self, state, on_train):
        loss, margins = self.measure(state, self.measured)
        labels, margins = np.asarray(self.measured[1]).reshape(-1), np.asarray(margins)
        there = labels >= 0
        area = metrics.roc_auc_score(labels[there], margins[there])
        accuracy = ((margins > 0) == (labels == 1))[there].mean()
        values = float(loss), float(accuracy), float(area)
        return {"train loss": float(on_train), **dict(zip(METRICS, values, strict=True))}


def table(found: dict[str, list[list[dict]]]) -> str:
    """Return the curves (mean and standard deviation) and final differences as Markdown."""
    names = list(found)
    values = {
        name: np.array([[[p[f] for f in METRICS] for p in run] for run in runs])
        for name, runs in found.items()
    }
    points = values[names[0]].shape[1]
    lines = []
    for number, metric in enumerate(METRICS):
        lines += [f"| {metric} at | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
        for point in range(points):
            cells = [
                f"{runs[:, point, number].mean():.4f} ± {runs[:, point, number].std(ddof=1):.4f}"
                for runs in values.values()
            ]
            lines.append(f"| {point + 1}/{points} | {' | '.join(cells)} |")
        lines.append("")
    lines += [f"| last point | {' | '.join(METRICS)} |", "|---" * 4 + "|"]
    for name in names[1:]:
        cells = []
        for number in range(len(METRICS)):
            difference = values[name][:, -1, number] - values[names[0]][:, -1, number]
            test = stats.ttest_1samp(difference, 0.0)
            low, high = test.confidence_interval(0.95)
            interval = f"[{low:+.4f}, {high:+.4f}]"
            cells.append(f"{difference.mean():+.4f} {interval}, p = {test.pvalue:.2f}")
        lines.append(f"| {name} − {names[0]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--batching", action="append", help="repeatable; default: all three")
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--max_length", type=int, default=192)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--points", type=int, default=4, help="per epoch")
    parser.add_argument("--learning_rate", type=float, default=5e-5)
    parser.add_argument("--precision", default="float32", help="a Keras dtype policy")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON, all runs")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    names = given.batching or ["padded", "bucketed", "packed"]
    curves, found = Curves(given), {name: [] for name in names}
    for seed in range(given.seeds):
        for name in names:
            began = time.perf_counter()
            found[name].append(curves.curve(name, seed))
            print(f"{name} {seed}: {time.perf_counter() - began:.1f} s", flush=True)
        settings = {key: str(value) for key, value in vars(given).items()}
        settings["device"] = jax.devices()[0].device_kind
        given.out.write_text(json.dumps({"settings": settings, "runs": found}, indent=1) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
