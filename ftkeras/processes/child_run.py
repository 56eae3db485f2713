"""A run of `train` in a process of its own: all it takes it gives back, and it dies alone.

The child's standard input is a pipe that its parent holds open. When the parent goes, however it
goes, the pipe ends and so does the child: nobody is left behind who holds the run's folder.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import Stopped
from ftkeras.processes import child
from ftkeras.runs import layout
from ftkeras.runs import metrics as report

POLL_SECONDS = 0.2


class Halted(Exception):  # noqa: N818  who asked for it knows why
    """The run was asked to stop, from another thread, and its state is kept."""


@dataclass(frozen=True)
class Outcome:
    """How a run went.

    Attributes:
        metrics: what its metrics.json says; None where it failed.
        reason: why it failed, in one line; None where it did not.
        seconds: from the start of the process to its end.
    """

    metrics: dict | None
    reason: str | None
    seconds: float


def train(
    config: Config,
    run_dir: pathlib.Path,
    *,
    environment: dict[str, str] | None = None,
    halt: threading.Event | None = None,
) -> Outcome:
    """Trains as `config` says in `run_dir`, from where that folder says the run was.

    What the run prints goes to `log.txt` in that folder. Where this process is interrupted, the run
    is stopped as SIGTERM stops it, with a checkpoint, before the interrupt goes on.

    Args:
        config: the run's.
        run_dir: the run's folder.
        environment: variables of the process, beside this one's.
        halt: stops the run where it is set: an interrupt reaches the main thread alone.

    Raises:
        Halted: `halt` was set.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    failure = run_dir / layout.FAILURE
    failure.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ftkeras.main", "train", *flagfile.arguments(config)]
    began = time.monotonic()
    with (run_dir / layout.LOG).open("ab") as log:
        process = subprocess.Popen(
            [*command, f"--run_dir={run_dir}"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches it through us, once
            env={**os.environ, **(environment or {}), **child.environment(failure)},
        )
        try:
            code = _ended(process, halt)
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
        finally:
            process.stdin.close()
    seconds = time.monotonic() - began
    if code:
        return Outcome(None, _reason(code, failure), seconds)
    return Outcome(report.read_metrics(run_dir), None, seconds)


@contextlib.contextmanager
def stoppable(told: str) -> Iterator[None]:
    """Has SIGTERM stop the runs that are under way as Ctrl-C does; `told` says how to go on."""

    def stop(number, frame):
        raise Stopped(number, told)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(told) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _ended(process: subprocess.Popen, halt: threading.Event | None) -> int:
    if halt is None:
        return process.wait()
    while process.poll() is None:
        if halt.wait(POLL_SECONDS):
            raise Halted
    return process.returncode


def _reason(code: int, failure: pathlib.Path) -> str:
    """Return in one line why a run failed, from its exit code and what it reported."""
    if code < 0:
        name = signal.Signals(-code).name
        memory = "; out of memory, perhaps" if name == "SIGKILL" else ""
        return f"killed by {name}{memory}"
    return child.failure(failure) or f"ended with code {code}"
