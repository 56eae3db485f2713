"""A folder that is made once, for all processes of pytest-xdist."""

import fcntl
import os
import pathlib
from collections.abc import Callable

import pytest


def make_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[pathlib.Path], None]
) -> pathlib.Path:
    """Return the folder `name`, which `make` fills for the first worker that asks for it.

    Others wait meanwhile. If `make` raises, the next one to ask tries again.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of one run of pytest, so nothing old is found there
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = factory.mktemp(name)
            make(unfinished)
            unfinished.rename(folder)
    return folder
