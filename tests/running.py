"""The command line as a user runs it, and the arguments of a short run."""

import pathlib
import subprocess
import sys

FLAGS = pathlib.Path(__file__).resolve().parents[1] / "flags"
QUICK = [f"--flagfile={FLAGS / 'quickstart.cfg'}", "--train_examples=600", "--test_examples=60"]


def run_ftkeras(*arguments: str, cwd: pathlib.Path, **options) -> subprocess.CompletedProcess:
    """The command line as a user runs it: a process of its own."""
    command = [sys.executable, "-m", "ftkeras.main", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300, **options
    )
