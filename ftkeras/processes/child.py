"""The child's side of `child_run`: end with the parent, and report a failure as data.

The parent holds the other end of the child's standard input, a pipe, open. When the parent ends,
however it ends, the pipe is closed and the child ends too, so that no orphan keeps the run's folder
locked. If the child fails, it writes the reason into a file that the parent has named.
"""

import contextlib
import json
import os
import pathlib
import sys
import threading
from collections.abc import Mapping

from ftkeras.support import files

# An environment variable: where a child writes why it failed. Only children have it.
FAILURE = "FTKERAS_FAILURE_FILE"


def environment(failure: pathlib.Path) -> Mapping[str, str]:
    """Return the environment variables that make a process a child.

    Args:
        failure: the file to which the child writes why it failed.
    """
    return {FAILURE: str(failure.absolute())}


def end_with_parent() -> None:
    """End this process when its parent ends, if it is a child; else do nothing."""
    if FAILURE in os.environ:
        standard_input = sys.stdin.fileno()
        threading.Thread(target=_end_at_end_of, args=(standard_input,), daemon=True).start()


def report(reason: str) -> None:
    """Write why this process fails, if it is a child; else do nothing."""
    if FAILURE not in os.environ:
        return
    with contextlib.suppress(OSError):  # a full disk, perhaps: the log may still have the reason
        files.write_json(pathlib.Path(os.environ[FAILURE]), {"reason": " ".join(reason.split())})


def failure(path: pathlib.Path) -> str | None:
    """Return the reason that a child reported, in one line; None if it reported none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["reason"]
    except FileNotFoundError:
        return None


def _end_at_end_of(pipe: int) -> None:
    os.read(pipe, 1)  # not through a buffer, whose lock would be held when Python shuts down
    os._exit(1)
