"""Run the command line, in this process or in one of its own, with the arguments of short runs."""

import contextlib
import io
import pathlib
import subprocess
import sys

import pytest

from ftkeras import main

FLAGS = pathlib.Path(__file__).resolve().parents[1] / "flags"
QUICK = [f"--flagfile={FLAGS / 'quickstart.cfg'}", "--train_examples=600", "--test_examples=60"]


def run_ftkeras(*arguments: str, cwd: pathlib.Path, **options) -> subprocess.CompletedProcess:
    """Run the command line as a user does: in a process of its own.

    It takes 5 to 7 seconds to import TensorFlow, so use `call_ftkeras` wherever that will do.
    """
    command = [sys.executable, "-m", "ftkeras.main", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=1200, **options
    )


def call_ftkeras(*arguments: str, cwd: pathlib.Path) -> subprocess.CompletedProcess:
    """Run the command line in this process, which has TensorFlow loaded already."""
    output, errors = _stream(), _stream()
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        code = main.main([str(argument) for argument in arguments])
    written = [stream.buffer.getvalue().decode() for stream in (output, errors)]
    return subprocess.CompletedProcess(arguments, code, *written)


def succeed(*arguments: str, cwd: pathlib.Path, run=call_ftkeras) -> str:
    """Run the command line, which must succeed, and return its standard output."""
    done = run(*arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_metrics_agree(found: dict, expected: dict, **within: float) -> None:
    """Compare the metrics of a split, those of each class included, as `pytest.approx` does."""
    tables = [[split, *split["per_class"]] for split in (found, expected)]
    for one, other in zip(*tables, strict=True):
        assert one.keys() == other.keys()
        for name in one.keys() - {"per_class"}:
            numeric = isinstance(other[name], (int, float))
            wanted = pytest.approx(other[name], **within) if numeric else other[name]
            assert one[name] == wanted, name


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
