"""Defer SIGTERM and Ctrl-C until the run's state can be saved."""

import contextlib
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftkeras.support.signals import in_main_thread


@dataclass
class StopRequest:
    """The signal that asked the run to stop, or None."""

    signal: int | None = None


@contextlib.contextmanager
def defer_signals() -> Iterator[StopRequest]:
    """Record the first SIGTERM or SIGINT instead of obeying it; obey the second as usual.

    Outside the main thread Python receives no signals, so nothing is deferred.
    """
    request = StopRequest()
    if not in_main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def record(number: int, frame: Any) -> None:
        request.signal = number
        _restore(before)

    for number in before:
        signal.signal(number, record)
    try:
        yield request
    finally:
        _restore(before)


def _restore(handlers: Mapping[Any, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
