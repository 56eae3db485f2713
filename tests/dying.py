"""The command line, killed by SIGKILL at a chosen call: `python -m tests.dying FUNCTION N …`.

FUNCTION is module:attribute[.attribute]; its N-th call, from 1, is the process's last. A call that
writes a file with safetensors leaves half of it.
"""

import importlib
import os
import pathlib
import signal
import sys

from ftkeras import main


def arm(function: str, number: int) -> None:
    """Kill this process at the `number`-th call of the function."""
    module, _, path = function.partition(":")
    *owners, name = path.split(".")
    owner = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), []

    def deadly(*arguments, **options):
        calls.append(1)
        if len(calls) == number:
            if name == "save_file":
                real(*arguments, **options)
                path = pathlib.Path(arguments[1])
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(owner, name, deadly)


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    sys.exit(main.main(sys.argv[3:]))
