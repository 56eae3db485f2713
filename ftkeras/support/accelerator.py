"""Find out what this machine computes on, which decides the defaults."""

import pathlib
import platform
import time

import numpy as np
import tensorflow as tf

CPU_INFO = pathlib.Path("/proc/cpuinfo")
# Of the product that is measured, and how often it is.
ROWS, ROUNDS = 512, 9


def is_available() -> bool:
    """Return whether TensorFlow can use a GPU or TPU."""
    return any(tf.config.list_physical_devices(kind) for kind in ("GPU", "TPU"))


def cpu_has_bfloat16(info: pathlib.Path = CPU_INFO) -> bool:
    """Return whether the processor multiplies bfloat16 numbers; False where Linux does not say.

    Args:
        info: the file in which Linux describes the processor.
    """
    if not info.exists():
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(info.read_text(encoding="utf-8").split())


def cpu_name(info: pathlib.Path = CPU_INFO) -> str:
    """Return the processor's name, with its model and stepping where Linux says them.

    Args:
        info: the file in which Linux describes the processor.
    """
    if not info.exists():
        return platform.processor()
    lines = [line.partition(":") for line in info.read_text(encoding="utf-8").splitlines()]
    known = {name.strip(): value.strip() for name, _, value in lines}
    names = [known[name] for name in ("model name", "model", "stepping") if name in known]
    return " ".join(names) or platform.processor()


def bfloat16_gain(width: int) -> float:
    """Return how many times as fast as in float32 this processor multiplies in bfloat16.

    The product is [512, width] x [width, 4 width], the largest of an encoder's layer. The result is
    the ratio of the least times of 9 products of each type, in turns.

    Args:
        width: the encoder's; positive.
    """
    # Random numbers of TensorFlow would change those of the run that follows.
    numbers, sizes = np.random.default_rng(0), ((ROWS, width), (width, 4 * width))
    left, right = (numbers.normal(size=size) for size in sizes)
    pairs = {kind: (tf.cast(left, kind), tf.cast(right, kind)) for kind in ("float32", "bfloat16")}
    least = dict.fromkeys(pairs, float("inf"))
    for _ in range(ROUNDS):
        for kind, pair in pairs.items():
            start = time.perf_counter()
            tf.linalg.matmul(*pair).numpy()
            least[kind] = min(least[kind], time.perf_counter() - start)
    return least["float32"] / least["bfloat16"]
