"""An append-only log of who did what with a run, each entry with the hash of the one before it.

Whoever changes or removes an entry changes all hashes after it. That the last entry is changed, or
the last ones are missing, shows only by a copy of the last hash, such as that in a dossier.
"""

import fcntl
import getpass
import hashlib
import json
import pathlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files

# Of details, those that are by name, such as digests by path.
_MAPPINGS = ("files", "data", "teachers", "hardware", "licenses")
FIRST = "0" * 64  # what the first entry has instead of a hash


@dataclass(frozen=True)
class Log:
    """The entries of a log.

    Attributes:
        entries: the oldest first.
        broken: what is wrong with the chain; "" if nothing.
        hashes: of each entry.
    """

    entries: tuple[dict[str, Any], ...]
    broken: str
    hashes: tuple[str, ...]

    @property
    def head(self) -> str:
        """The hash of the last entry, which the next one will have."""
        return self.hashes[-1] if self.hashes else FIRST

    def last(self, event: str) -> dict[str, Any]:
        """Return the details of the last entry about an event; empty if there is none."""
        own = [entry["details"] for entry in self.entries if entry.get("event") == event]
        return own[-1] if own else {}


def require_writable(run_dir: pathlib.Path, argument: str = "run_dir") -> None:
    """Raise UserError if no entry can be added, before anything is done that needs one.

    Args:
        run_dir: the run's folder.
        argument: its name, for the message.
    """
    path = run_dir / layout.AUDIT_LOG
    if not path.exists():
        files.require_writable(run_dir, argument)
        return
    try:
        path.open("ab").close()
    except OSError as error:
        raise UserError(
            f"{argument}={run_dir}: {path.name} can't be written ({error.strerror}), so there "
            "would be no record of this; make it writable, or copy the run."
        ) from None


def append(run_dir: pathlib.Path, event: str, details: Mapping[str, Any]) -> None:
    """Add an entry about an event.

    Args:
        run_dir: the run's folder.
        event: such as "trained", "exported" or "dossier".
        details: what it was done with and what came of it, JSON types only.
    """
    path = run_dir / layout.AUDIT_LOG
    with path.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # until the file is closed
        stream.seek(0)
        content = stream.read()
        lines = content.splitlines()
        entry = {
            "event": event,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "user": _user(),
            "machine": platform.node(),
            "details": dict(details),
            "previous": _hash(lines[-1]) if lines else FIRST,
        }
        # An interrupted write, or an editor, may have left the last line without its end.
        start = b"" if content.endswith(b"\n") or not content else b"\n"
        stream.write(start + json.dumps(entry, ensure_ascii=False).encode() + b"\n")


def read(run_dir: pathlib.Path) -> Log:
    """Return the log of a run, whose chain is checked; one without entries if there is none."""
    path = run_dir / layout.AUDIT_LOG
    lines = path.read_bytes().splitlines() if path.is_file() else []
    hashes = tuple(map(_hash, lines))
    entries: list[dict[str, Any]] = []
    broken = ""
    for number, (line, previous) in enumerate(zip(lines, (FIRST, *hashes), strict=False), 1):
        if (entry := _entry(line)) is None:
            entry = {"details": {}}
            broken = broken or f"line {number} of {path.name} is damaged"
        if entry.get("previous") != previous:
            broken = broken or f"an entry before line {number} of {path.name} is changed or missing"
        entries.append(entry)
    return Log(tuple(entries), broken, hashes)


def _entry(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line; None if it has not what the readers of a log rely on."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    details = entry.get("details") if isinstance(entry, dict) else None
    if not isinstance(details, dict):
        return None
    if entry.get("event") == "trained" and "files" not in details:
        return None
    of_exports = details.get("export_files", {})
    mappings = [of_exports, *(details.get(name, {}) for name in _MAPPINGS)]
    if isinstance(of_exports, dict):
        mappings += of_exports.values()
    return entry if all(isinstance(mapping, dict) for mapping in mappings) else None


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in a container
        return "unknown"
