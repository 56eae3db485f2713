import os
import subprocess
import sys
import time

from ftkeras.support import times


def test_process_age_counts_from_the_start_of_the_process():
    before = time.monotonic()
    command = "from ftkeras.support import times; print(times.process_age())"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, check=True)
    age, passed = float(done.stdout), time.monotonic() - before
    tick = 1 / os.sysconf("SC_CLK_TCK")
    assert 0 < age <= passed + tick


def test_process_age_without_proc_counts_from_the_import(monkeypatch):
    monkeypatch.setattr(times.pathlib.Path, "exists", lambda self: False)
    assert 0 < times.process_age() <= time.monotonic()
