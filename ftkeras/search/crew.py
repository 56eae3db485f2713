"""Run a chief and several workers of one search on this machine, and restart those that fail."""

import logging
import os
import shlex
import signal
import sys
import time
from typing import Protocol

from ftkeras.config.launch import LaunchConfig
from ftkeras.config.tune import TuneConfig
from ftkeras.processes.supervisor import (
    GRACE_SECONDS,
    POLL_SECONDS,
    Processes,
    free_ports,
    resource_shares,
)
from ftkeras.search import folder
from ftkeras.search.workers import CHIEF, VARIABLES

log = logging.getLogger(__name__)


class Start(Protocol):
    """Starts a member of the crew."""

    def __call__(self, name: str, *arguments: str) -> None:
        """Start the process of this name, with further arguments."""


def search(config: LaunchConfig) -> int:
    """Run a complete search; return 0, or the exit code of the chief or of the last worker.

    A restarted worker gets its trial back and resumes it. If a worker is not restarted, another one
    gets its trial. A restarted chief knows everything that it knew before.
    """
    arguments = with_search_dir(config)
    command = [sys.executable, "-m", "ftkeras.main", *arguments]
    address = ("127.0.0.1", str(free_ports(1)[0]))
    _announce(config.workers, arguments)
    members = {f"worker-{n}": share for n, share in enumerate(resource_shares(config.workers))}
    crew = Processes()

    def start(name: str, *more: str) -> None:
        role = dict(zip(VARIABLES, (name, *address), strict=True))
        crew.start(name, [*command, *more], {**os.environ, **members.get(name, {}), **role})

    with crew.supervise():
        for name in (CHIEF, *members):
            start(name)
        code = _supervise(crew, start, config.restarts)
        crew.stop()
    return code


def with_search_dir(config: LaunchConfig) -> list[str]:
    """Return the arguments of `tune`, with a folder that all processes share."""
    search = config.config
    assert isinstance(search, TuneConfig), "only a search has a crew"
    if search.search_dir is not None:
        return list(config.arguments)
    return [*config.arguments, f"--search_dir={folder.default(search)}"]


def _announce(workers: int, arguments: list[str]) -> None:
    role = " ".join(f"{n}={v}" for n, v in zip(VARIABLES, ("chief", "HOST", "PORT"), strict=True))
    log.info(
        "launch   a chief and %d workers; on several machines this would be\n"
        "         %s %s\n"
        "         and the same command with %s=worker-0, worker-1, …",
        *(workers, role, shlex.join(["ftkeras", *arguments]), VARIABLES[0]),
    )


def _supervise(crew: Processes, start: Start, restarts: int) -> int:
    """Wait until the chief ends; restart members that fail before, up to `restarts` times."""
    while True:
        for name, code in crew.collect_ended():
            if name == CHIEF and code == 0:
                crew.wait(GRACE_SECONDS)
                # One that started late has no trial, but would wait for the chief. SIGTERM would
                # have it say how to resume a search that is finished.
                crew.signal(signal.SIGKILL)
                return 0
            if code == 0:
                continue
            log.info("launch   %s ended with code %d", name, code)
            # A restart can't help after a user's error or a request to stop.
            if crew.stop_requested or code == 2 or not restarts:
                others = set(crew.running) - {CHIEF}
                if name == CHIEF or not others:
                    return code
                continue
            restarts -= 1
            log.info("launch   starting %s again, %d restarts left", name, restarts)
            start(name, "--norestart")
        time.sleep(POLL_SECONDS)
