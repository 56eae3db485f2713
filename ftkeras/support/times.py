"""Measure and format lengths of time."""

import os
import pathlib
import time

_IMPORTED = time.monotonic()


def process_age() -> float:
    """Return the seconds since this process started.

    Linux records the start in /proc; elsewhere this counts from the import of this module.
    """
    record = pathlib.Path("/proc/self/stat")
    if not record.exists():
        return time.monotonic() - _IMPORTED
    # Field 22, in clock ticks since boot; the name in field 2 may hold spaces and brackets.
    ticks = int(record.read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def duration(seconds: float) -> str:
    """Format a length of time.

    >>> duration(7.26), duration(192), duration(7500)
    ('7.3 s', '3 min 12 s', '2 h 05 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
