"""Choose what `precision=auto` leaves open."""

import dataclasses
import logging

import tensorflow as tf

from ftkeras.config.fields import AUTO
from ftkeras.config.run import Config
from ftkeras.data import token_cache
from ftkeras.experiment.auto import WIDTH
from ftkeras.strategies import Devices
from ftkeras.support import accelerator, files

log = logging.getLogger(__name__)

FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"
# Products of smaller encoders take less time than their conversions.
LEAST_WIDTH = 128
# Only the matrix products of a step get faster, so they must gain more than the step is to gain.
LEAST_GAIN = 1.3
# In the cache folder: what this machine has measured, by processor and width.
MEASURED = "bfloat16.json"


def settle(config: Config, *, hidden: int | None, devices: Devices) -> Config:
    """Return the configuration with a precision in place of `auto`, and log why.

    It is mixed_bfloat16 on a GPU or TPU. It is also mixed_bfloat16 on a CPU that says it computes
    in bfloat16, if that multiplies the encoder's matrices at least 1.3 times as fast as float32.
    The gain is measured once, and kept in the cache folder, so that the same command always
    computes in the same precision on the same machine. Elsewhere, and in several processes, which
    must agree, it is float32.

    Args:
        config: the run's.
        hidden: the encoder's width; None if it is not known, which is taken for 768.
        devices: of the run.
    """
    if config.precision != AUTO:
        return config
    if accelerator.is_available():
        return dataclasses.replace(config, precision=BFLOAT16)
    width = hidden or WIDTH
    if devices.workers > 1 or width < LEAST_WIDTH or not accelerator.cpu_has_bfloat16():
        return dataclasses.replace(config, precision=FLOAT32)
    gain = _measured_gain(config, width)
    chosen = BFLOAT16 if gain >= LEAST_GAIN else FLOAT32
    log.info(
        f"precision={chosen} (auto: this processor multiplies {width} x {4 * width} matrices "
        f"{gain:.1f} times as fast in bfloat16)"
    )
    return dataclasses.replace(config, precision=chosen)


def _measured_gain(config: Config, width: int) -> float:
    """Return the gain that this machine has measured, now or in an earlier run."""
    cache = token_cache.cache_folder(config)
    if cache is None:
        return accelerator.bfloat16_gain(width)
    path = cache / MEASURED
    key = f"{accelerator.cpu_name()}, TensorFlow {tf.__version__}, width {width}"
    known = files.read_json(path)
    if key not in known:
        known[key] = round(accelerator.bfloat16_gain(width), 2)
        cache.mkdir(parents=True, exist_ok=True)
        files.write_json(path, known)
    return known[key]
