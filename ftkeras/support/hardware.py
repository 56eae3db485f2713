"""Describe the machine that this process runs on."""

import os
import pathlib
import platform
from typing import Any

CPU_NAMES = pathlib.Path("/proc/cpuinfo")


def describe() -> dict[str, Any]:
    """Return the processor, its cores, the memory, the accelerators and the system.

    What the system does not say is left out. TensorFlow is asked for accelerators, and does not
    start them if it has not used them yet.
    """
    described: dict[str, Any] = {
        "processor": _processor(),
        "cores": _cores(),
        "memory_bytes": _memory(),
        "accelerators": _accelerators(),
        "system": platform.platform(),
    }
    return {name: value for name, value in described.items() if value is not None}


def _processor(names: pathlib.Path = CPU_NAMES) -> str | None:
    """Return the processor's name."""
    if names.is_file():
        for line in names.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine() or None


def _cores() -> int | None:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _accelerators() -> list[str]:
    import tensorflow as tf

    devices = [d for kind in ("GPU", "TPU") for d in tf.config.list_physical_devices(kind)]
    details = [tf.config.experimental.get_device_details(device) for device in devices]
    return [one.get("device_name", d.name) for one, d in zip(details, devices, strict=True)]
