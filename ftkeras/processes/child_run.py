"""Run `train` in a child process, so that its memory is freed and a crash ends only the run.

The child ends with its parent; see `processes/child.py`.
"""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.processes import child
from ftkeras.runs import layout
from ftkeras.runs import metrics as report

POLL_SECONDS = 0.2


class Halted(Exception):  # noqa: N818  a request, not an error
    """Report that a run was stopped by `halt`, after its state was saved."""


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Attributes:
        metrics: the content of its metrics.json; None if it failed.
        reason: why it failed, in one line; None if it did not.
        seconds: from the start of the process to its end.
    """

    metrics: dict | None
    reason: str | None
    seconds: float


def train(
    config: Config,
    run_dir: pathlib.Path,
    *,
    verb: str = "train",
    environment: dict[str, str] | None = None,
    halt: threading.Event | None = None,
) -> Outcome:
    """Train in a child process, from scratch or from where the run in `run_dir` stopped.

    The child's output goes to log.txt in that folder. If this process is interrupted, the child is
    stopped by SIGTERM, which saves a checkpoint, before the interrupt propagates.

    Args:
        config: the run's.
        run_dir: the run's folder.
        verb: train, or another one that trains.
        environment: environment variables of the child, in addition to this process's.
        halt: stops the run when it is set, from any thread; an interrupt reaches only the main one.

    Raises:
        Halted: `halt` was set.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    failure = run_dir / layout.FAILURE
    failure.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ftkeras.main", verb, *flagfile.arguments(config)]
    start = time.monotonic()
    with (run_dir / layout.LOG).open("ab") as log:
        process = subprocess.Popen(
            [*command, f"--run_dir={run_dir}"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that Ctrl-C does not reach the child directly as well
            env={**os.environ, **(environment or {}), **child.environment(failure)},
        )
        try:
            code = _wait(process, halt)
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
        finally:
            if process.stdin is not None:
                process.stdin.close()
    seconds = time.monotonic() - start
    if code:
        return Outcome(None, _reason(code, failure), seconds)
    return Outcome(report.read_metrics(run_dir), None, seconds)


def _wait(process: subprocess.Popen, halt: threading.Event | None) -> int:
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
        memory = ", perhaps because memory ran out" if name == "SIGKILL" else ""
        return f"killed by {name}{memory}"
    return child.failure(failure) or f"ended with code {code}"
