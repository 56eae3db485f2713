"""Starts a cluster of workers on this machine, and holds it together until it is done.

Each worker is a process of its own with its TF_CONFIG, on ports that are free just then. Their
output comes with the worker's name in front. Where one fails, the others are ended, and the whole
is started again as often as `--restarts` says: it goes on from its last checkpoint.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from ftkeras import catalog
from ftkeras.config_verbs import LaunchConfig
from ftkeras.strategies._cluster import Cluster

# How long a worker may take to end when another has failed; blocked by that one, it often can't.
GRACE_SECONDS = 10
POLL_SECONDS = 0.1


def run(config: LaunchConfig) -> None:
    """`launch`: the whole run of a cluster; exits with the code of the first worker that failed."""
    command = [sys.executable, "-m", "ftkeras.main", *with_run_dir(config)]
    print(f"launch   {config.workers} workers on this machine; on machines of your own it would be")
    print(
        f"         TF_CONFIG='{_template(config.workers)}' {shlex.join(['ftkeras', *command[3:]])}"
    )
    sys.stdout.flush()
    if code := attempt(command, config.workers, config.restarts):
        raise SystemExit(code)


def attempt(command: Sequence[str], count: int, restarts: int) -> int:
    """Runs `count` workers, again where one fails; 0, or the code of the first that failed."""
    for number in range(1, restarts + 2):
        workers = Workers(command, count)
        code = workers.finish()
        # What the user must mend, or has asked for, is no accident that another try would mend.
        if code == 0 or code == 2 or workers.asked or number > restarts:
            break
        print(f"launch   starting again, restart {number} of {restarts}", flush=True)
    return code


def with_run_dir(config: LaunchConfig) -> Sequence[str]:
    """The arguments of `train`, with a folder that all workers, and all tries, have in common."""
    if config.train.run_dir is not None:
        return config.arguments
    task = catalog.parse("task", config.train.task).name
    folder = f"runs/{task}/{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    return [*config.arguments, f"--run_dir={folder}"]


class Workers:
    """The processes of one try.

    Args:
        command: what each runs.
        count: how many; positive.

    Attributes:
        asked: whether a signal has asked this process to stop, which it passed on.
    """

    def __init__(self, command: Sequence[str], count: int):
        self.asked = False
        addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(count))
        # Of their own session: Ctrl-C reaches them through us, once.
        self.processes = [
            subprocess.Popen(
                command,
                env=_environment(Cluster(addresses, worker)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            for worker in range(count)
        ]
        self._readers = [
            threading.Thread(target=_forward, args=(f"worker {worker} | ", *streams), daemon=True)
            for worker, process in enumerate(self.processes)
            for streams in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def finish(self) -> int:
        """Waits until all are done; 0, or the code of the first that failed."""
        before = {n: signal.signal(n, self._pass_on) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            code = next((code for code in self._codes() if code), 0)
            if code:
                self._end()
            for reader in self._readers:
                reader.join(GRACE_SECONDS)
            return code
        finally:
            self._signal(signal.SIGKILL)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _codes(self) -> Iterator[int]:
        """Each worker's exit code when it is done, as a shell tells it."""
        running = dict(enumerate(self.processes))
        while running:
            for worker in [w for w, process in running.items() if process.poll() is not None]:
                code = running.pop(worker).returncode
                if code:
                    print(f"launch   worker {worker} ended with code {code}", flush=True)
                yield 128 - code if code < 0 else code
            time.sleep(POLL_SECONDS)

    def _end(self) -> None:
        if not self.asked:  # a second signal would be obeyed at once
            self._signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self.processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _pass_on(self, number, frame):
        self.asked = True
        self._signal(number)

    def _signal(self, number: int) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _environment(cluster: Cluster) -> dict[str, str]:
    # A worker that took all cores would only wait for them.
    threads = str(max(1, (os.cpu_count() or 1) // len(cluster.addresses)))
    limits = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), threads)
    return {**limits, **os.environ, "TF_CONFIG": cluster.tf_config()}


def _template(workers: int) -> str:
    hosts = tuple(f"HOST_{number}:2222" for number in range(workers))
    return Cluster(hosts, 0).tf_config().replace('"index": 0', '"index": NUMBER')


def _forward(name: str, source, target) -> None:
    for line in source:
        target.write(name + line.decode(errors="replace"))
        target.flush()
