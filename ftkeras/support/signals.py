"""End what is under way in order when the process is asked to stop."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from ftkeras.errors import Stopped


@contextlib.contextmanager
def stoppable(message: str) -> Iterator[None]:
    """Let SIGTERM raise an exception as Ctrl-C does, so that what is under way is cleaned up.

    Outside the main thread Python receives no signals, so nothing changes there.

    Args:
        message: tells the user what becomes of the work, such as how to resume it.

    Raises:
        Stopped: SIGTERM was received.
        KeyboardInterrupt: with the message, after Ctrl-C.
    """
    if not in_main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise Stopped(number, message)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(message) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def in_main_thread() -> bool:
    """Return whether this is the main thread, the only one that Python lets handle signals."""
    return threading.current_thread() is threading.main_thread()
