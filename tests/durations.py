"""Durations of tests, by which files are ordered and slow tests are shared out equally.

`durations.json` has the seconds of each test that took a second or more on two cores, fixtures
included. `python -m tests.tools.durations` renews it. A test that is not in it counts as a case of
its marker does.
"""

import functools
import hashlib
import heapq
import json
import pathlib
from collections.abc import Iterable

import pytest

FILE = pathlib.Path(__file__).with_suffix(".json")
# So many that each takes about five minutes on two cores.
SHARES = 19
# Seconds of a test whose duration is unknown.
_UNKNOWN = {"cluster": 40.0, "process": 20.0, "real_data": 20.0, "matrix": 3.0}
_QUICK = 0.05
# The files of at least so many seconds take longer than the shared run.
_LONG = 8.0


@functools.cache
def known() -> dict[str, float]:
    """Return the seconds of the slow tests by node id."""
    return json.loads(FILE.read_text())


def seconds(item: pytest.Item) -> float:
    """Return how long a test is expected to take."""
    if item.nodeid in known():
        return known()[item.nodeid]
    marked = [time for name, time in _UNKNOWN.items() if item.get_closest_marker(name)]
    return max(marked, default=_QUICK)


def longest_file_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Order files by how long their tests take, so that no worker ends with a long one alone.

    The first file makes the run that several share. The others that use it come after the long
    files, because a worker that asks for it earlier would wait.
    """
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.split("::")[0], []).append(item)
    ordered = sorted(files.values(), key=_total, reverse=True)
    sharing = [file for file in ordered if any(map(_uses_shared_run, file))]
    first, waiting = sharing[:1], sharing[1:]
    ordered = [file for file in ordered if file not in sharing]
    long = [file for file in ordered if _total(file) >= _LONG]
    ordered = first + long + waiting + ordered[len(long) :]
    return [item for file in ordered for item in file]


def _total(file: list[pytest.Item]) -> float:
    return sum(map(seconds, file))


def _uses_shared_run(item: pytest.Item) -> bool:
    return "finished_run" in getattr(item, "fixturenames", ())


def share(items: Iterable[pytest.Item], commit: str) -> list[pytest.Item]:
    """Return the share of the tests that a commit's hash picks; all shares take equally long.

    Every test is in one of the `SHARES` shares, so over as many hashes each has its turn.
    """
    items = list(items)
    chosen = int(commit, 16) % SHARES
    shares = _split({item.nodeid: seconds(item) for item in items})
    return [item for item in items if item.nodeid in shares[chosen]]


def _split(times: dict[str, float]) -> list[set[str]]:
    """Split tests into shares of equal time: the longest first, each to the shortest share."""
    shares: list[set[str]] = [set() for _ in range(SHARES)]
    shortest = [(0.0, number) for number in range(SHARES)]
    for nodeid in sorted(times, key=lambda nodeid: (-times[nodeid], _hash(nodeid))):
        total, number = shortest[0]
        shares[number].add(nodeid)
        heapq.heapreplace(shortest, (total + times[nodeid], number))
    return shares


def _hash(nodeid: str) -> str:
    """Return what mixes the files of tests that take equally long."""
    return hashlib.sha256(nodeid.encode()).hexdigest()
