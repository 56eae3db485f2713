"""A chief and workers of one search, on this machine; who dies is started again, alone."""

import logging
import os
import shlex
import sys
import time

from ftkeras.config.verbs import LaunchConfig
from ftkeras.processes.supervisor import GRACE_SECONDS, POLL_SECONDS, Processes, free_ports, shares
from ftkeras.search import folder
from ftkeras.search.workers import CHIEF, NAMES

log = logging.getLogger(__name__)


def search(config: LaunchConfig) -> int:
    """Runs the whole search; 0, or the code of the chief, or of the last worker.

    A worker that is started again gets its trial back and goes on with it; one that is not has its
    trial given to another. A chief that is started again knows all that it knew.
    """
    arguments = with_search_dir(config)
    command = [sys.executable, "-m", "ftkeras.main", *arguments]
    address = ("127.0.0.1", str(free_ports(1)[0]))
    log.info(f"launch   a chief and {config.workers} workers; on machines of your own it would be")
    log.info(f"         {_set('chief', 'HOST', 'PORT')} {shlex.join(['ftkeras', *arguments])}")
    log.info(f"         and the same with {NAMES[0]}=worker-0, worker-1, …")
    named = enumerate(shares(config.workers))
    members = {f"worker-{number}": share for number, share in named}
    crew = Processes()

    def start(name: str, *more: str) -> None:
        own = dict(zip(NAMES, (name, *address), strict=True))
        crew.start(name, [*command, *more], {**os.environ, **members.get(name, {}), **own})

    with crew.watched():
        for name in (CHIEF, *members):
            start(name)
        code = _held_together(crew, start, config.restarts)
        crew.end()
    return code


def with_search_dir(config: LaunchConfig) -> list[str]:
    """The arguments of `tune`, with a folder that all have in common."""
    if config.config.search_dir is not None:
        return list(config.arguments)
    return [*config.arguments, f"--search_dir={folder.made_up(config.config)}"]


def _held_together(crew: Processes, start, restarts: int) -> int:
    """Waits until the chief has ended; whoever ends before is started again, while that is left."""
    while True:
        for name, code in crew.ended():
            if name == CHIEF and code == 0:
                crew.wait(GRACE_SECONDS)
                return 0
            if code == 0:
                continue
            log.info(f"launch   {name} ended with code {code}")
            # What the user must mend, or has asked for, is no accident that another try would mend.
            if crew.asked or code == 2 or not restarts:
                others = set(crew.running) - {CHIEF}
                if name == CHIEF or not others:
                    return code
                continue
            restarts -= 1
            log.info(f"launch   starting {name} again, {restarts} restarts left")
            start(name, "--norestart")
        time.sleep(POLL_SECONDS)


def _set(*values: str) -> str:
    return " ".join(f"{name}={value}" for name, value in zip(NAMES, values, strict=True))
