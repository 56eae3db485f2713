"""Start several processes, show their output, and stop them together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from ftkeras.support.signals import in_main_thread

# A process that waits for another may not end on SIGTERM; after this long it is killed.
GRACE_SECONDS = 10
POLL_SECONDS = 0.1


class Processes:
    """Named processes, each line of whose output is shown with the name in front.

    Attributes:
        stop_requested: whether this process received SIGINT or SIGTERM and passed it on.
        running: the processes that have not ended, or whose end was not collected yet, by name.
    """

    def __init__(self):
        self.stop_requested = False
        self.running: dict[str, subprocess.Popen] = {}
        self._readers: list[threading.Thread] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process.

        Args:
            name: shown in front of its output.
            command: the program and its arguments.
            environment: all its environment variables.
        """
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that Ctrl-C reaches it only through `supervise`
        )
        self.running[name] = process
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
            reader = threading.Thread(
                target=_forward, args=(f"{name} | ", source, target), daemon=True
            )
            reader.start()
            self._readers.append(reader)

    def collect_ended(self) -> Iterator[tuple[str, int]]:
        """Yield name and exit code of each process that ended since the last call.

        The code of a process that a signal killed is 128 + the signal, as in a shell.
        """
        for name in [name for name, process in self.running.items() if process.poll() is not None]:
            code = self.running.pop(name).returncode
            yield name, 128 - code if code < 0 else code

    def stop(self) -> None:
        """Send SIGTERM to all processes, and SIGKILL to those that do not end in time."""
        if not self.stop_requested:  # a second signal would stop them without a checkpoint
            self.signal(signal.SIGTERM)
        self.wait(GRACE_SECONDS)
        self.signal(signal.SIGKILL)

    def wait(self, seconds: float) -> None:
        """Wait until all processes have ended, at most this long."""
        deadline = time.monotonic() + seconds
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))

    def signal(self, number: int) -> None:
        """Send a signal to all running processes."""
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(number)

    @contextlib.contextmanager
    def supervise(self) -> Iterator[None]:
        """Pass SIGINT and SIGTERM on to the processes.

        On leaving, all output is shown, and processes that still run are killed.
        """
        passed_on = (signal.SIGINT, signal.SIGTERM) if in_main_thread() else ()
        before = {number: signal.signal(number, self._pass_on) for number in passed_on}
        try:
            yield
            for reader in self._readers:
                reader.join(GRACE_SECONDS)
        finally:
            self.signal(signal.SIGKILL)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int, frame: object) -> None:
        self.stop_requested = True
        self.signal(number)


def free_ports(count: int) -> list[int]:
    """Return TCP ports of this machine that are free at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def resource_shares(count: int) -> list[dict[str, str]]:
    """Return environment variables that give each of `count` processes its GPU or share of cores.

    The number of threads can change how results are rounded.
    """
    if count == 1:
        return [{}]
    import tensorflow as tf

    if devices := len(tf.config.list_physical_devices("GPU")):
        named = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        gpus = named if len(named) == devices and named[0] else [str(n) for n in range(devices)]
        shared = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if count > devices else {}
        return [{"CUDA_VISIBLE_DEVICES": gpus[n % devices], **shared} for n in range(count)]
    threads = str(max(1, (os.cpu_count() or 1) // count))
    limits = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), threads)
    return [{k: v for k, v in limits.items() if k not in os.environ}] * count


def _forward(prefix: str, source: IO[bytes], target: IO[str]) -> None:
    """Copy a process's output line by line.

    If nobody reads it any more, as behind `head`, all processes are asked to end. Their output is
    still read, as a full pipe would block them.
    """
    is_read = True
    for line in source:
        if not is_read:
            continue
        try:
            target.write(prefix + line.decode(errors="replace"))
            target.flush()
        except BrokenPipeError:
            is_read = False
            os.kill(os.getpid(), signal.SIGTERM)
