"""SIGTERM and Ctrl-C, put off until the run's state can be kept."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Asked:
    """Which signal has asked the run to stop; None while none has."""

    signal: int | None = None


@contextlib.contextmanager
def put_off() -> Iterator[Asked]:
    """Notes the first SIGTERM or SIGINT instead of obeying it; the second is obeyed as ever.

    Outside of the main thread, where Python hears no signals, nothing is put off.
    """
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def note(number, frame):
        asked.signal = number
        _restore(before)

    for number in before:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        _restore(before)


def _restore(handlers):
    for number, handler in handlers.items():
        signal.signal(number, handler)
