"""End what is under way in order when the process is asked to stop."""

import contextlib
import signal
from collections.abc import Iterator

from ftkeras.errors import Stopped


@contextlib.contextmanager
def stoppable(message: str) -> Iterator[None]:
    """Let SIGTERM raise an exception as Ctrl-C does, so that what is under way is cleaned up.

    Args:
        message: tells the user what becomes of the work, such as how to resume it.

    Raises:
        Stopped: SIGTERM was received.
        KeyboardInterrupt: with the message, after Ctrl-C.
    """

    def stop(number: int, frame: object) -> None:
        raise Stopped(number, message)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(message) from None
    finally:
        signal.signal(signal.SIGTERM, before)
