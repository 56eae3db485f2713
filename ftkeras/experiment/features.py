"""Compute the features of a frozen encoder once, instead of in every epoch.

Without dropout, what a frozen encoder computes below its pooler depends on the text alone. So it
runs over each text of train and validation once, before the first epoch, and training then reads
the resulting vectors instead of token ids: the last hidden state of the first token, or the mean
over tokens, whichever the head uses. The batches, their order and the head's dropout stay the same,
and so does the result, except for rounding. The complete model is evaluated and exported.
"""

import logging
import pathlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ftkeras import catalog
from ftkeras.data.examples import Examples
from ftkeras.data.vectors import add_vectors, distinct
from ftkeras.experiment import feeds
from ftkeras.experiment.definition import Experiment
from ftkeras.support import bars, messages, times
from ftkeras.training.finetuner import FineTuner
from ftkeras.training.sharding import shard

log = logging.getLogger(__name__)


@runtime_checkable
class VectorHead(Protocol):
    """A head that reads one vector per text."""

    def text_vectors(self, features: Mapping[str, Any], padding_mask: Any) -> Any:
        """Return the vectors, [texts, hidden]."""
        ...


def read_once(
    experiment: Experiment, used: Sequence, folder: pathlib.Path
) -> tuple[Sequence, dict[str, float]]:
    """Replace the feeds' texts by vectors, if the encoder need not run in each step.

    Args:
        experiment: ready to train.
        used: the feeds of the run: a `TrainingFeed` and perhaps an `OrderedFeed`.
        folder: for the vectors, float32, 4 · hidden bytes per text.

    Returns:
        The feeds to train with, the given ones if the encoder must run; and what metrics.json
        records: seconds and tokens per second, or nothing.
    """
    if not _is_frozen(experiment.model):
        return used, {}
    if reason := _obstacle(experiment):
        log.info(f"note: the encoder is frozen, but runs in each step, because {reason}")
        return used, {}
    views = [distinct(feed.examples) for feed in used]
    texts, tokens = sum(map(len, views)), sum(int(view.lengths.sum()) for view in views)
    log.info(f"the encoder is frozen: its features of {texts:,} texts are computed once")
    start = time.perf_counter()
    with bars.bar(messages.progress_stream(), total=texts, unit=" texts", leave=False) as bar:
        used = [
            feed.with_examples(
                add_vectors(feed.examples, lambda view: vectors(experiment, view, bar), folder)
            )
            for feed in used
        ]
    seconds = time.perf_counter() - start
    log.info(f"  it took {times.duration(seconds)}, {tokens / seconds:,.0f} tokens/s")
    return used, {"seconds_for_features": seconds, "tokens_per_second": tokens / seconds}


def _is_frozen(model: FineTuner) -> bool:
    """Return whether only the head and the pooler are trained."""
    pool = model.encoder.pool
    above = [*model.head.weights, *([] if pool is None else pool.weights)]
    return {id(v) for v in model.trainable_variables} <= {id(v) for v in above}


def _obstacle(experiment: Experiment) -> str | None:
    """Return the reason why the frozen encoder must run in each step; None if it need not."""
    specs = experiment.config.regularizer
    names = {spec: catalog.parse("regularizer", spec).name for spec in specs}
    inside = [spec for spec in specs if catalog.find("regularizer", names[spec]).by_row]
    if inside:
        return f"regularizer={', '.join(inside)} acts inside it"
    if not experiment.model.encoder.is_fixed:
        return "its dropout is on"
    if not isinstance(experiment.model.head, VectorHead):
        return "the head reads more than one vector per text"
    return None


def vectors(
    experiment: Experiment, examples: Examples, bar: tqdm
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the positions of each batch's texts, and their vectors, computed on all replicas."""
    model, strategy = experiment.model, experiment.devices.strategy
    feed = feeds.ordered_feed(experiment, examples)

    def on_replicas(inputs: dict) -> tf.Tensor:
        return strategy.gather(strategy.run(model.text_vectors, args=(inputs,)), axis=0)

    compute = tf.function(on_replicas, autograph=False, reduce_retracing=True)
    done = 0
    for inputs, _ in shard(strategy, feed.dataset).dataset:
        values = compute(inputs).numpy()
        positions = feed.positions[done : done + len(values)]
        done += len(values)
        is_text = positions >= 0  # others fill up a batch of fixed shape
        yield positions[is_text], values[: len(is_text)][is_text]
        bar.update(int(is_text.sum()))
