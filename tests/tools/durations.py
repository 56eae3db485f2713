"""Renew tests/durations.json from what pytest printed.

    pytest … --durations=0 -vv | tee LOG
    python -m tests.tools.durations LOG …

The durations of tests that no log names stay; those of tests that are gone are removed with
`--collected FILE`, the output of `pytest -m "" --collect-only -q`.
"""

import argparse
import collections
import json
import pathlib
import re

from tests import durations

LEAST = 1.0
_LINE = re.compile(r"\s*([\d.]+)s (?:call|setup|teardown) +(\S.*?)\s*$")


def read(log: str) -> dict[str, float]:
    """Return the seconds of each test, those of its fixtures included."""
    seconds: collections.Counter[str] = collections.Counter()
    for line in log.splitlines():
        if match := _LINE.match(line):
            seconds[match[2]] += float(match[1])
    return seconds


def main() -> None:
    """Read the logs, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", nargs="*", type=pathlib.Path)
    parser.add_argument("--collected", type=pathlib.Path)
    arguments = parser.parse_args()
    found = dict(durations.known())
    for log in arguments.logs:
        found |= read(log.read_text(errors="replace"))
    if arguments.collected:
        collected = set(arguments.collected.read_text().splitlines())
        found = {nodeid: time for nodeid, time in found.items() if nodeid in collected}
    kept = {nodeid: round(time, 1) for nodeid, time in sorted(found.items()) if time >= LEAST}
    durations.FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
