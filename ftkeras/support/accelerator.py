"""Find out whether this machine has a GPU or TPU, which needs other defaults than a CPU."""

import pathlib

import tensorflow as tf

CPU_FLAGS = pathlib.Path("/proc/cpuinfo")


def is_available() -> bool:
    """Return whether TensorFlow can use a GPU or TPU."""
    return any(tf.config.list_physical_devices(kind) for kind in ("GPU", "TPU"))


def cpu_has_bfloat16(flags: pathlib.Path = CPU_FLAGS) -> bool:
    """Return whether the processor multiplies bfloat16 numbers; False where Linux does not say.

    Args:
        flags: the file in which Linux lists what the processor can do.
    """
    if not flags.exists():
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags.read_text(encoding="utf-8").split())
