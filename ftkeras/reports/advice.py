"""Advice after training: what the metrics say about the run, and what to try."""

import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.config.run import Config
from ftkeras.runs import layout
from ftkeras.statistics.significance import wilson

# A loss between these multiples of what label frequencies alone give has hardly moved. One that is
# higher still has diverged.
HARDLY_MOVED = (0.9, 1.5)
# Epochs rarely differ by more than half of this width of an accuracy's interval.
WIDEST_INTERVAL = 0.1


def text(
    config: Config, metrics: Mapping[str, Any], labels: Sequence[str], run_dir: pathlib.Path
) -> str:
    """Return a note for each problem that the metrics show; empty if there is none.

    Args:
        config: the run's.
        metrics: as metrics.json holds them.
        labels: the names of the classes.
        run_dir: the run's folder.
    """
    notes = [
        *one_label(metrics["confusion"], labels),
        *hardly_moved(config, metrics, run_dir),
        *small_validation(config, metrics),
    ]
    return "\n".join(f"note: {note}" for note in notes)


def one_label(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> list[str]:
    """Return a note if the model predicts the same label for every example.

    >>> one_label([[0, 3], [0, 2]], ("bad", "good"))
    ["the model always predicts 'good'"]
    """
    predicted = [sum(column) for column in zip(*confusion, strict=True)]
    used = [label for label, count in zip(labels, predicted, strict=True) if count]
    return [f"the model always predicts {used[0]!r}"] if len(used) == 1 else []


def hardly_moved(config: Config, metrics: Mapping[str, Any], run_dir: pathlib.Path) -> list[str]:
    """Return a note if the last epoch's loss is no lower than what label frequencies alone give.

    They give the entropy of the labels, -Σ p log p, if nothing changes the loss.
    """
    loss, read = metrics["train"].get("last_loss"), metrics.get("read")
    changed = config.loss != "cross_entropy" or config.class_weights or config.regularizer
    if loss is None or read is None or changed or config.oversample:
        return []
    chance = entropy(read["train"]["labels"])
    low, high = (factor * chance for factor in HARDLY_MOVED)
    if not low < loss < high:
        return []
    return [
        f"the loss hardly moved: it ended at {loss:.3f}, and label frequencies alone give "
        f"{chance:.3f}; try a higher `learning_rate` or more `epochs`. To find a learning rate: "
        f"python -m ftkeras.main find_rate --flagfile={run_dir / layout.SETTINGS}"
    ]


def small_validation(config: Config, metrics: Mapping[str, Any]) -> list[str]:
    """Return a note if validation has so few examples that chance decides which epoch is best."""
    measured = metrics.get("validation")
    if measured is None or config.trained_epochs == 1:
        return []
    low, high = wilson(measured["accuracy"], measured["examples"])
    if high - low <= WIDEST_INTERVAL:
        return []
    return [
        f"validation is too small to rank epochs (n = {measured['examples']:,}): its accuracy of "
        f"{measured['accuracy']:.3f} may be anything from {low:.3f} to {high:.3f}; hold out more "
        "examples, or use crossvalidate"
    ]


def entropy(counts: Sequence[int]) -> float:
    """Return the entropy of a label's distribution, in nats.

    >>> round(entropy([5, 5, 0]), 4)
    0.6931
    """
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count)
