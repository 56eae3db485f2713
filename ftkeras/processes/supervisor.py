"""Processes that are started, heard and ended together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

# How long a process may take to end when it is asked to; blocked by another, it often can't.
GRACE_SECONDS = 10
POLL_SECONDS = 0.1


class Processes:
    """Processes by name; each line of their output comes with the name in front.

    Attributes:
        asked: whether a signal has asked this process to stop, which it passed on.
    """

    def __init__(self):
        self.asked = False
        self.running: dict[str, subprocess.Popen] = {}
        self._readers: list[threading.Thread] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts one, in a session of its own: Ctrl-C reaches it through us, once."""
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.running[name] = process
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
            reader = threading.Thread(
                target=_forward, args=(f"{name} | ", source, target), daemon=True
            )
            reader.start()
            self._readers.append(reader)

    def ended(self) -> Iterator[tuple[str, int]]:
        """Each that has ended since, with its exit code as a shell tells it."""
        for name in [name for name, process in self.running.items() if process.poll() is not None]:
            code = self.running.pop(name).returncode
            yield name, 128 - code if code < 0 else code

    def end(self) -> None:
        """Asks all to end, and kills those that don't."""
        if not self.asked:  # a second signal would be obeyed at once
            self.signal(signal.SIGTERM)
        self.wait(GRACE_SECONDS)
        self.signal(signal.SIGKILL)

    def wait(self, seconds: float) -> None:
        """Waits until all have ended, but no longer than this."""
        deadline = time.monotonic() + seconds
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))

    def signal(self, number: int) -> None:
        """Signals all that run."""
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(number)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Passes SIGINT and SIGTERM on meanwhile; on leaving none runs, and all was shown."""
        before = {n: signal.signal(n, self._pass_on) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
            for reader in self._readers:
                reader.join(GRACE_SECONDS)
        finally:
            self.signal(signal.SIGKILL)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number, frame):
        self.asked = True
        self.signal(number)


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


def shares(count: int) -> list[dict[str, str]]:
    """The variables of each of so many processes that run at once: its GPU, or its share of cores.

    Results are those of one process but for rounding, which the number of threads can change.
    """
    if count == 1:
        return [{}]
    import tensorflow as tf

    if found := len(tf.config.list_physical_devices("GPU")):
        named = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        gpus = named if len(named) == found and named[0] else [str(n) for n in range(found)]
        shared = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if count > found else {}
        return [{"CUDA_VISIBLE_DEVICES": gpus[n % found], **shared} for n in range(count)]
    threads = str(max(1, (os.cpu_count() or 1) // count))
    limits = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), threads)
    return [{k: v for k, v in limits.items() if k not in os.environ}] * count


def _forward(name: str, source, target) -> None:
    for line in source:
        target.write(name + line.decode(errors="replace"))
        target.flush()
