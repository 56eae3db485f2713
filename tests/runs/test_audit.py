"""The audit log: its chain shows changed, removed and damaged entries."""

import hashlib
import json

import pytest

from ftkeras.runs import audit, layout


@pytest.fixture
def run(tmp_path):
    """Return a folder with a log of three entries."""
    for number in range(3):
        audit.append(tmp_path, "exported", {"number": number})
    return tmp_path


def lines(run) -> list[bytes]:
    return (run / layout.AUDIT_LOG).read_bytes().splitlines()


def write(run, changed: list[bytes]) -> None:
    (run / layout.AUDIT_LOG).write_bytes(b"\n".join(changed) + b"\n")


def test_each_entry_has_the_hash_of_the_one_before(run):
    first, second, third = lines(run)
    assert json.loads(first)["previous"] == "0" * 64
    assert json.loads(second)["previous"] == hashlib.sha256(first).hexdigest()
    found = audit.read(run)
    assert (found.broken, found.head) == ("", hashlib.sha256(third).hexdigest())
    assert found.last("exported") == {"number": 2}
    assert found.last("trained") == {}
    assert {"time", "user", "machine"} <= set(found.entries[0])


def test_run_without_a_log_has_no_entries(tmp_path):
    found = audit.read(tmp_path)
    assert (found.entries, found.broken, found.head) == ((), "", audit.FIRST)


def test_changed_entry_shows(run):
    first, *others = lines(run)
    write(run, [first.replace(b'"number": 0', b'"number": 9'), *others])
    assert audit.read(run).broken == "an entry before line 2 of audit.jsonl is changed or missing"


def test_removed_entry_shows(run):
    first, _, third = lines(run)
    write(run, [first, third])
    assert "before line 2" in audit.read(run).broken
    write(run, [third])
    assert "before line 1" in audit.read(run).broken


@pytest.mark.parametrize("damaged", [b"{", b"[]", b"[" * 100_000], ids=["half", "list", "deep"])
def test_damaged_entry_shows(run, damaged):
    first, _, third = lines(run)
    write(run, [first, damaged, third])
    assert audit.read(run).broken == "line 2 of audit.jsonl is damaged"


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"details": [["number", 1]]},
        {"details": {}},
        {"details": {"files": None}},
        {"details": {"files": {}, "export_files": None}},
        {"details": {"files": {}, "export_files": {"huggingface": ["README.md"]}}},
    ],
)
def test_entry_without_what_readers_need_is_damaged(run, details):
    first, *_ = lines(run)
    previous = hashlib.sha256(first).hexdigest()
    entry = {"event": "trained", "previous": previous, **details}
    write(run, [first, json.dumps(entry).encode()])
    found = audit.read(run)
    assert found.broken == "line 2 of audit.jsonl is damaged"
    assert found.last("trained") == {}


def test_last_line_without_its_end_loses_no_entry(run):
    path = run / layout.AUDIT_LOG
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    audit.append(run, "exported", {"number": 3})
    found = audit.read(run)
    assert found.broken == ""
    assert [entry["details"]["number"] for entry in found.entries] == [0, 1, 2, 3]


def test_user_without_a_name_is_unknown(tmp_path, monkeypatch):
    def fails():
        raise KeyError("uid")

    monkeypatch.setattr(audit.getpass, "getuser", fails)
    audit.append(tmp_path, "exported", {})
    assert audit.read(tmp_path).entries[0]["user"] == "unknown"
