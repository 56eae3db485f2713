"""Advice after training: what the metrics say about the run, and what to try."""

import pathlib
from collections.abc import Mapping
from typing import Any

from ftkeras.config.run import Config
from ftkeras.problems import Problem
from ftkeras.runs import layout
from ftkeras.support import commands

# A loss between these multiples of a constant answer's has hardly moved. One that is higher still
# has diverged.
HARDLY_MOVED = (0.9, 1.5)


def text(
    config: Config, metrics: Mapping[str, Any], problem: Problem, run_dir: pathlib.Path
) -> str:
    """Return the lines of `notes`; empty if there are none."""
    return "\n".join(f"note: {note}" for note in notes(config, metrics, problem, run_dir))


def notes(
    config: Config, metrics: Mapping[str, Any], problem: Problem, run_dir: pathlib.Path
) -> list[str]:
    """Return a note for each weakness that the metrics show.

    Args:
        config: the run's.
        metrics: as metrics.json holds them.
        problem: what was learned.
        run_dir: the run's folder.
    """
    return [
        *problem.advice(metrics),
        *hardly_moved(config, metrics, problem, run_dir),
        *small_validation(config, metrics, problem),
    ]


def hardly_moved(
    config: Config, metrics: Mapping[str, Any], problem: Problem, run_dir: pathlib.Path
) -> list[str]:
    """Return a note if the last epoch's loss is no lower than that of a constant answer.

    It is compared only if nothing changes the loss.
    """
    loss, read = metrics["train"].get("last_loss"), metrics.get("read")
    changed = config.loss != problem.loss or config.class_weights or config.regularizer
    if loss is None or read is None or changed or config.oversample:
        return []
    if (by_chance := problem.chance_loss(read["train"])) is None:
        return []
    chance, constant = by_chance
    low, high = (factor * chance for factor in HARDLY_MOVED)
    if not low < loss < high:
        return []
    if config.private is not None:  # find_rate would read the private texts once more
        remedy = (
            "the noise of `private` may outweigh the gradients: train fewer variables (`policy`), "
            "use more examples or a larger `batch_size`, or allow a larger epsilon"
        )
    else:
        remedy = "try a higher `learning_rate` or more `epochs`"
        if config.few_shot is None:  # find_rate can't tune the encoder by pairs
            command = commands.line("find_rate", flagfile=run_dir / layout.SETTINGS)
            remedy = f"{remedy}. To find a learning rate: {command}"
    return [f"the loss hardly moved: it ended at {loss:.3f}, and {constant} {chance:.3f}; {remedy}"]


def small_validation(config: Config, metrics: Mapping[str, Any], problem: Problem) -> list[str]:
    """Return a note if validation has so few examples that chance decides which epoch is best.

    A private run is not compared: it keeps its last epoch, or can't be cross-validated.
    """
    measured = metrics.get("validation")
    if measured is None or config.trained_epochs == 1 or config.private is not None:
        return []
    if (doubt := problem.doubt(measured)) is None:
        return []
    return [
        f"validation is too small to rank epochs (n = {measured['examples']:,}): {doubt}; hold out "
        "more examples, or use crossvalidate"
    ]
