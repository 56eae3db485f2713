"""Real worker processes on this machine, each with its TF_CONFIG."""

import os
import subprocess
import sys
from collections.abc import Sequence

from ftkeras.processes.supervisor import free_ports
from ftkeras.strategies import Cluster


def start(module: str, *arguments: str, workers: int = 2) -> list[subprocess.Popen]:
    """`python -m module …` once a worker."""
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(workers))
    return [
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={
                **os.environ,
                "TF_CONFIG": Cluster(addresses, worker).tf_config(),
                "TF_CPP_MIN_LOG_LEVEL": "2",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for worker in range(workers)
    ]


def finish(processes: Sequence[subprocess.Popen], *, seconds: float = 1200) -> list[str]:
    """Wait for all processes; return their standard outputs, or fail with the first error."""
    try:
        said = [process.communicate(timeout=seconds) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, error) in zip(processes, said, strict=True):
        assert process.returncode == 0, error[-3000:]
    return [output for output, _ in said]
