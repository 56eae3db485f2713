"""The shares of the slow tests, and the order of files."""

import random
import types

import pytest

from tests import durations

TIMES = {f"tests/test_{number // 20}.py::test_{number}": number % 37 for number in range(500)}


def _items(nodeids) -> list:
    return [
        types.SimpleNamespace(nodeid=nodeid, get_closest_marker=lambda name: None)
        for nodeid in nodeids
    ]


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setattr(durations, "known", lambda: TIMES)


def test_shares_take_equally_long_and_hold_each_test_once():
    items = _items(TIMES)
    shares = [[i.nodeid for i in durations.share(items, f"{n:x}")] for n in range(durations.SHARES)]
    assert sorted(nodeid for share in shares for nodeid in share) == sorted(TIMES)
    totals = [sum(TIMES[nodeid] for nodeid in share) for share in shares]
    assert max(totals) - min(totals) <= max(TIMES.values()) / 2


def test_share_does_not_depend_on_the_order_of_the_tests():
    items = _items(TIMES)
    first = {item.nodeid for item in durations.share(items, "c0ffee")}
    random.Random(0).shuffle(items)
    assert {item.nodeid for item in durations.share(items, "c0ffee")} == first


def test_longest_file_is_first_and_files_stay_whole():
    shuffled = list(TIMES)
    random.Random(1).shuffle(shuffled)
    ordered = [item.nodeid for item in durations.longest_file_first(_items(shuffled))]
    files = list(dict.fromkeys(nodeid.split("::")[0] for nodeid in ordered))
    totals = [sum(t for nodeid, t in TIMES.items() if nodeid.startswith(f"{f}::")) for f in files]
    assert totals == sorted(totals, reverse=True)
    assert [n.split("::")[0] for n in ordered] == [file for file in files for _ in range(20)]


def test_files_that_share_a_run_do_not_wait_for_it():
    items = _items(TIMES)
    for item in items:
        number = int(item.nodeid.split("_")[-1])
        item.fixturenames = ["finished_run"] if number in (5, 300, 499) else []
    ordered = [item.nodeid for item in durations.longest_file_first(items)]
    files = list(dict.fromkeys(nodeid.split("::")[0] for nodeid in ordered))
    assert files[0] in ("tests/test_0.py", "tests/test_15.py", "tests/test_24.py")
    assert {*files[-2:]} < {"tests/test_0.py", "tests/test_15.py", "tests/test_24.py"}


def test_unknown_test_counts_as_its_marker():
    item = types.SimpleNamespace(nodeid="a::b", get_closest_marker=lambda name: name == "cluster")
    assert durations.seconds(item) == 40
    assert durations.seconds(_items(["a::b"])[0]) < 1
