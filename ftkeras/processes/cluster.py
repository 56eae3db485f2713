"""Run the workers of one run on this machine, as a cluster.

Each worker is a process with a TF_CONFIG of its own, on ports that are free at the moment. If one
fails, the others are stopped and all of them start again, so that the run resumes from its last
checkpoint.
"""

import logging
import os
import time
from collections.abc import Sequence

from ftkeras.processes.supervisor import POLL_SECONDS, Processes, free_ports, resource_shares
from ftkeras.strategies import Cluster

log = logging.getLogger(__name__)


def run(command: Sequence[str], workers: int, restarts: int) -> int:
    """Run a command in each worker, and again if one fails.

    A cluster is not restarted if a worker ended with code 2, which the user must fix, or if a
    signal asked it to stop.

    Args:
        command: the worker's command line, which takes `--norestart`.
        workers: the number of workers.
        restarts: how often to start the cluster again.

    Returns:
        0, or the exit code of the first worker that failed in the last attempt.
    """
    code, resumed = 0, command
    for attempt in range(1, restarts + 2):
        processes = Processes()
        code = _run_once(processes, resumed, workers)
        if code in (0, 2) or processes.stop_requested or attempt > restarts:
            break
        log.info(f"launch   starting again, restart {attempt} of {restarts}")
        resumed = [*command, "--norestart"]  # so that `restart` clears the run's folder only once
    return code


def tf_config_template(workers: int) -> str:
    """Return the TF_CONFIG for a cluster of several machines, to be filled in by the user."""
    hosts = tuple(f"HOST_{number}:2222" for number in range(workers))
    return Cluster(hosts, 0).tf_config().replace('"index": 0', '"index": NUMBER')


def _run_once(processes: Processes, command: Sequence[str], workers: int) -> int:
    """Wait until all workers are done or one fails; return 0 or its exit code."""
    with processes.supervise():
        addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(workers))
        for number, share in enumerate(resource_shares(workers)):
            tf_config = {"TF_CONFIG": Cluster(addresses, number).tf_config()}
            processes.start(f"worker {number}", command, {**os.environ, **share, **tf_config})
        while processes.running:
            for name, code in processes.collect_ended():
                if code:
                    log.info(f"launch   {name} ended with code {code}")
                    processes.stop()
                    return code
            time.sleep(POLL_SECONDS)
    return 0
