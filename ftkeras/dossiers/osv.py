"""Match installed packages with a database of vulnerabilities in the OSV format.

Source: https://ossf.github.io/osv-schema, "Evaluation".
"""

import itertools
import json
import pathlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.dossiers.software import Package
from ftkeras.errors import UserError

ECOSYSTEM = "PyPI"
_RANGES = ("ECOSYSTEM", "SEMVER")  # a range of the type GIT names commits, not versions


@dataclass(frozen=True)
class Vulnerability:
    """A vulnerability of an installed package.

    Attributes:
        id: its first identifier.
        aliases: others, such as CVE numbers.
        package, version: what is installed.
        summary: what the database says, in a line.
        fixed: the lowest higher version in which it is fixed; "" if none is known.
        severity: CVSS vectors, or a word.
    """

    id: str
    aliases: tuple[str, ...]
    package: str
    version: str
    summary: str
    fixed: str
    severity: tuple[str, ...]


@dataclass(frozen=True)
class Database:
    """Entries of the OSV format.

    Attributes:
        entries: those about PyPI that are not withdrawn.
        read: how many entries were read in all.
        newest: when the newest was modified, ISO 8601; "" if none says so.
    """

    entries: Sequence[Mapping[str, Any]]
    read: int
    newest: str


def read(path: str) -> Database:
    """Read a database: an OSV file or a list of them, a folder of such files, or a ZIP of one.

    Raises:
        UserError: if it can't be read, or has no entry.
    """
    try:
        entries = [
            entry for content in _contents(pathlib.Path(path)) for entry in _entries(content)
        ]
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"vulnerabilities={path} can't be read: {error}.") from None
    except (ValueError, TypeError) as error:
        raise UserError(f"vulnerabilities={path} is not in the OSV format: {error}.") from None
    if not entries:
        raise UserError(f"vulnerabilities={path} has no entry in the OSV format.")
    newest = max((str(entry.get("modified", "")) for entry in entries), default="")
    kept = [one for one in entries if not one.get("withdrawn") and list(_affected(one))]
    return Database(kept, len(entries), newest)


def match(database: Database, packages: Sequence[Package]) -> list[Vulnerability]:
    """Return the vulnerabilities of installed packages, by package and id."""
    known = {}
    for entry, affected, package in _about(database, packages):
        if is_affected(package.version, affected):
            one = _vulnerability(entry, affected, package)
            known[one.package, one.id] = one
    return [known[key] for key in sorted(known)]


def skipped(database: Database, packages: Sequence[Package]) -> list[str]:
    """Return what `match` skips of ranges, as it names no version; a phrase each."""
    found = []
    for entry, affected, package in _about(database, packages):
        about = f"{entry['id']} of {package.name}"
        untyped = (one for one in affected.get("ranges") or () if "type" not in one)
        found += [f"{about}: a range without a type" for _ in untyped]
        for name, text in itertools.chain(*_ranges(affected)):
            if name != "limit" and _version(text) is None:
                found.append(f"{about}: {name} {text!r}")
    return sorted(found)


def is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    """Return whether a version is one that an entry's `affected` names or has in its ranges.

    >>> events = [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2.0"}]
    >>> ranges = {"ranges": [{"type": "ECOSYSTEM", "events": events}]}
    >>> [is_affected(version, ranges) for version in ("1.1.9", "1.2", "1.10", "2.0")]
    [True, False, False, True]
    """
    named, own = affected.get("versions") or (), _version(version)
    if version in named:
        return True
    if own is None:
        return False
    own = _version(own.public)  # 2.1.0+cpu is 2.1.0 in another build
    return own in map(_version, named) or any(
        _in_range(own, events) for events in _ranges(affected)
    )


def _in_range(own: Any, events: Sequence[tuple[str, str]]) -> bool:
    """Return whether the last event at or below a version has introduced it."""
    # `last_affected` ends a range behind its version, the others begin or end one at theirs.
    steps = []
    for name, text in events:
        at = _version("0.dev0" if text == "0" else text)
        if name != "limit" and at is not None:
            steps.append((at, name == "last_affected", name == "introduced"))
    inside = False
    for at, is_behind, begins in sorted(steps):
        if own > at or (own == at and not is_behind):
            inside = begins
    return inside


def _vulnerability(
    entry: Mapping[str, Any], affected: Mapping[str, Any], package: Package
) -> Vulnerability:
    own = _version(package.version)
    events = itertools.chain(*_ranges(affected))
    fixed = {text: _version(text) for name, text in events if name == "fixed"}
    higher = {text: at for text, at in fixed.items() if at is not None and own and at > own}
    text = entry.get("summary") or entry.get("details") or ""
    word = (entry.get("database_specific") or {}).get("severity")
    scores = (*(entry.get("severity") or ()), *(affected.get("severity") or ()))
    return Vulnerability(
        id=str(entry["id"]),
        aliases=tuple(entry.get("aliases") or ()),
        package=package.name,
        version=package.version,
        summary=" ".join(text.split())[:200],
        fixed=min(higher, key=higher.__getitem__, default=""),
        severity=(*([word] if word else []), *(one["score"] for one in scores)),
    )


def _version(text: str) -> Any:
    """Return a version by the rules of PyPI; None if it is none."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None


def _about(
    database: Database, packages: Sequence[Package]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Package]]:
    """Yield the entries about installed packages, with their `affected` and the package."""
    from packaging.utils import canonicalize_name

    installed = {canonicalize_name(package.name): package for package in packages}
    for entry in database.entries:
        for affected in _affected(entry):
            package = installed.get(canonicalize_name(affected["package"]["name"]))
            if package is not None:
                yield entry, affected, package


def _ranges(affected: Mapping[str, Any]) -> Iterator[list[tuple[str, str]]]:
    """Yield the events of each range of versions, each with its name and version."""
    # An event ought to have one name. Of several, each counts.
    for one in affected.get("ranges") or ():
        if one.get("type") in _RANGES:
            yield [named for event in one.get("events") or () for named in event.items()]


def _affected(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for one in entry.get("affected") or ():
        if (one.get("package") or {}).get("ecosystem") == ECOSYSTEM:
            yield one


def _contents(path: pathlib.Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield file.read_bytes()
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    yield archive.read(name)
    else:
        yield path.read_bytes()


def _entries(content: bytes) -> list[Mapping[str, Any]]:
    """Return the entries of a file: one, a list, or `{"vulns": [...]}` as OSV's API answers."""
    entries: Any = json.loads(content)
    if isinstance(entries, dict):
        entries = entries.get("vulns", [entries])
    for entry in entries:
        if not isinstance(entry, dict) or "id" not in entry:
            raise ValueError("an entry has no id")
    return entries
