"""Starts several processes on this machine, and holds them together until they are done.

The workers of a run: each is a process of its own with its TF_CONFIG, on ports that are free just
then. Where one fails, the others are ended, and the whole is started again as often as `--restarts`
says: it goes on from its last checkpoint. The workers of a search: see `search/crew.py`.
"""

import logging
import os
import shlex
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from ftkeras import catalog
from ftkeras.config.verbs import LaunchConfig
from ftkeras.processes.supervisor import POLL_SECONDS, Processes, free_ports, shares
from ftkeras.strategies import Cluster

log = logging.getLogger(__name__)


def run(config: LaunchConfig) -> None:
    """`launch`: a whole run or search; exits with the code of the first worker that failed."""
    if config.verb == "tune":
        from ftkeras.search import crew

        code = crew.search(config)
    else:
        code = train(config)
    if code:
        raise SystemExit(code)


def train(config: LaunchConfig) -> int:
    """The whole run of a cluster; 0, or the code of the first worker that failed."""
    command = [sys.executable, "-m", "ftkeras.main", *with_run_dir(config)]
    log.info(
        f"launch   {config.workers} workers on this machine; on machines of your own it would be"
    )
    log.info(
        f"         TF_CONFIG='{_template(config.workers)}' {shlex.join(['ftkeras', *command[3:]])}"
    )
    sys.stdout.flush()
    return attempt(command, config.workers, config.restarts)


def attempt(command: Sequence[str], count: int, restarts: int) -> int:
    """Runs `count` workers, again where one fails; 0, or the code of the first that failed."""
    for number in range(1, restarts + 2):
        workers = Processes()
        code = _together(workers, command, count)
        # What the user must mend, or has asked for, is no accident that another try would mend.
        if code == 0 or code == 2 or workers.asked or number > restarts:
            break
        log.info(f"launch   starting again, restart {number} of {restarts}")
    return code


def with_run_dir(config: LaunchConfig) -> Sequence[str]:
    """The arguments of `train`, with a folder that all workers, and all tries, have in common."""
    if config.config.run_dir is not None:
        return config.arguments
    task = catalog.parse("task", config.config.task).name
    folder = f"runs/{task}/{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    return [*config.arguments, f"--run_dir={folder}"]


def _together(workers: Processes, command: Sequence[str], count: int) -> int:
    """One try: waits until all are done; 0, or the code of the first that failed."""
    with workers.watched():
        addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(count))
        for number, share in enumerate(shares(count)):
            cluster = {"TF_CONFIG": Cluster(addresses, number).tf_config()}
            workers.start(f"worker {number}", command, {**os.environ, **share, **cluster})
        while workers.running:
            for name, code in workers.ended():
                if code:
                    log.info(f"launch   {name} ended with code {code}")
                    workers.end()
                    return code
            time.sleep(POLL_SECONDS)
    return 0


def _template(workers: int) -> str:
    hosts = tuple(f"HOST_{number}:2222" for number in range(workers))
    return Cluster(hosts, 0).tf_config().replace('"index": 0', '"index": NUMBER')
