"""List the families of encoders, and measure which sizes fit a budget."""

import logging

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.encoders import EncodersConfig
from ftkeras.experiment import encoder_sizes, inferred_task
from ftkeras.experiment.encoder_sizes import SIZES, Size, Speed
from ftkeras.experiment.published_encoders import Published, published
from ftkeras.reports import encoder_sizes as report

log = logging.getLogger(__name__)

MOST_TEXTS = 10_000


def run(config: EncodersConfig) -> dict[Size, Speed]:
    """Log the families and, if there are texts or a budget, a table of sizes with their speed.

    Returns:
        The speed of each size that was measured: those whose weights are within `max_mb`.

    Raises:
        UserError: if the data can't be read.
    """
    families = report.families({name: _summary(name) for name in catalog.names("encoder")})
    if not config.measures:
        log.info(families)
        if config.language is not None:
            log.info("\n%s", _published(config, {}))
        else:
            log.info(
                "\nwith data, max_ms, max_mb or language, encoders also shows which encoders fit, "
                "how fast they are on this machine, and published figures"
            )
        return {}
    lengths = _lengths(inferred_task.resolve(config))
    log.info("%s\n\n%s", families, report.lengths(lengths, config.max_length))
    light = [size for size in SIZES if config.max_mb is None or size.megabytes <= config.max_mb]
    length = int(np.median(lengths))
    speeds = {size: encoder_sizes.measure(size, length=length) for size in light}
    fitting = [s for s in light if config.max_ms is None or speeds[s].milliseconds <= config.max_ms]
    log.info("\n" + report.sizes([(size, speeds.get(size)) for size in SIZES], fitting))
    log.info("\n%s", _published(config, speeds))
    return speeds


def _published(config: EncodersConfig, speeds: dict[Size, Speed]) -> str:
    """Return the table of published encoders that fit the language and the budget."""
    times = {(size.layers, size.hidden): speed.milliseconds for size, speed in speeds.items()}

    def fits(encoder: Published) -> bool:
        time = times.get((encoder.layers, encoder.hidden), 0.0)
        light = config.max_mb is None or encoder.megabytes <= config.max_mb
        return light and encoder.reads(config.language) and time <= (config.max_ms or time)

    return report.published([encoder for encoder in published() if fits(encoder)], times)


def _summary(family: str) -> str:
    return (catalog.find("encoder", family).__doc__ or "").split("\n")[0]


def _lengths(config: EncodersConfig) -> np.ndarray:
    """Return the lengths of the first training texts."""
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    examples: tf.data.Dataset = task.splits()["train"].take(MOST_TEXTS)
    columns = ("text", "pair") if task.pairs else ("text",)
    rows = ([_string(row[name]) for name in columns] for row in examples.as_numpy_iterator())
    return encoder_sizes.text_lengths(rows, most=config.max_length)


def _string(text: bytes | np.ndarray) -> str:
    """Return a text, which may be split into words."""
    words = [text] if isinstance(text, bytes) else text.tolist()
    return " ".join(word.decode() for word in words)
