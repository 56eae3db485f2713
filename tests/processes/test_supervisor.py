"""Several processes: they end when nobody reads their output any more."""

import subprocess
import sys

ENDLESS = "import time\nwhile True:\n    print('x' * 1000, flush=True)\n    time.sleep(0.001)\n"
LAUNCH = f"""
import os, sys, time
from ftkeras.processes.supervisor import Processes

processes = Processes()
with processes.supervise():
    processes.start("one", [sys.executable, "-c", {ENDLESS!r}], dict(os.environ))
    while processes.running:
        list(processes.collect_ended())
        time.sleep(0.05)
"""


def test_processes_end_if_nobody_reads_their_output():
    with subprocess.Popen([sys.executable, "-c", LAUNCH], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline().startswith(b"one | x")
            process.stdout.close()
            process.wait(60)  # without an end, this raises
        finally:
            process.kill()
