"""Trackers: where a run's metrics are recorded while it trains, one in each file.

A tracker's package is imported when the run starts. All trackers share the interface of `Tracker`.
"""

from ftkeras.trackers._base import FAILED, FINISHED, INTERRUPTED, Tracker

__all__ = ["FAILED", "FINISHED", "INTERRUPTED", "Tracker"]
