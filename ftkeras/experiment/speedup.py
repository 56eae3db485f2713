"""Suggest what makes a long run shorter, and by how much."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ftkeras.config import combinations
from ftkeras.data.feed import TrainingFeed
from ftkeras.experiment import encoder_source
from ftkeras.experiment.definition import Experiment
from ftkeras.support import accelerator, times

log = logging.getLogger(__name__)

# Suggestions are made for runs that take longer, and one of them ends within this time.
LONG_SECONDS = 3600
# A suggestion must make the run at least so many times shorter.
LEAST_GAIN = 1.2
FEWEST_TOKENS, FEWEST_EXAMPLES = 64, 100


@dataclass(frozen=True)
class Size:
    """The size of an encoder: its layers, its width, and that of its feed-forward networks."""

    layers: int
    hidden: int
    intermediate: int


SMALL_CHECKPOINT, SMALL = "sentence-transformers/all-MiniLM-L6-v2", Size(6, 384, 1536)


def count_operations(size: Size, lengths: np.ndarray) -> float:
    """Return the floating-point operations of a forward pass over texts, without padding.

    A layer takes 8 hidden² + 4 hidden · intermediate for each token, and 4 hidden · length for its
    attention. A training step takes three times as many, of each kind.

    Args:
        size: the encoder's.
        lengths: of the texts in tokens, integer [texts].

    >>> count_operations(Size(layers=1, hidden=2, intermediate=8), np.array([10]))
    1760.0
    """
    tokens = lengths.astype(np.float64)
    products = 8 * size.hidden**2 + 4 * size.hidden * size.intermediate
    return float(size.layers * (products * tokens + 4 * size.hidden * tokens**2).sum())


def suggestions(
    seconds: float,
    *,
    size: Size,
    lengths: np.ndarray,
    examples: int,
    max_length: int | None,
    smaller_encoder: bool,
) -> list[str]:
    """Return changes that would shorten a run, each with its effect.

    Args:
        seconds: that the run takes.
        size: the encoder's.
        lengths: of the rows that the encoder reads in tokens, integer [rows].
        examples: how many own these rows; fewer than rows if texts are cut into windows.
        max_length: the length that texts are cut to; None if they are cut into windows.
        smaller_encoder: whether a smaller checkpoint may replace the encoder.
    """
    now, ways = count_operations(size, lengths), []
    if smaller_encoder:
        gain = now / count_operations(SMALL, lengths)
        if gain >= LEAST_GAIN:
            ways.append(f"encoder={SMALL_CHECKPOINT} (English) computes {gain:.1f} times less")
    if max_length is not None and (shorter := max_length // 2) >= FEWEST_TOKENS:
        gain, cut = now / count_operations(size, np.minimum(lengths, shorter)), lengths > shorter
        if gain >= LEAST_GAIN:
            ways.append(
                f"max_length={shorter} computes {gain:.1f} times less and cuts {cut.mean():.0%} "
                "of the texts"
            )
    fewer = _rounded_down(examples * LONG_SECONDS / seconds)
    if fewer >= FEWEST_EXAMPLES:
        ways.append(f"train_examples={fewer} takes about {times.duration(LONG_SECONDS)}")
    return ways


def advise(experiment: Experiment, feed: TrainingFeed, *, examples: int) -> Callable[[float], None]:
    """Return a function that logs suggestions, given the seconds that training will take.

    It does so only on a CPU, only for long runs, and not if a frozen encoder need not run.

    Args:
        experiment: compiled to train.
        feed: the batches to train on; each of its examples is a row that the encoder reads.
        examples: the number of training examples.
    """
    config, encoder = experiment.config, experiment.model.encoder
    size = Size(len(encoder.stack), encoder.hidden, encoder.intermediate)

    def log_suggestions(seconds: float) -> None:
        rows = feed.examples
        if seconds <= LONG_SECONDS or accelerator.is_available() or rows.vectors is not None:
            return
        ways = suggestions(
            seconds,
            size=size,
            lengths=rows.lengths,
            examples=examples,
            max_length=None if combinations.cuts_windows(config) else config.max_length,
            smaller_encoder=encoder_source.checkpoint(config.encoder) is not None,
        )
        if ways:
            log.info(f"this is long for a CPU; {'; '.join(ways)}")

    return log_suggestions


def _rounded_down(number: float) -> int:
    """Return the number with two digits, rounded down.

    >>> _rounded_down(3487.5)
    3400
    """
    unit = 10 ** max(0, len(str(int(number))) - 2)
    return int(number) // unit * unit
