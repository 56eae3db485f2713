"""The part about integrity: whether files are those that were trained, exported and signed."""

import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import UNLABELLED, Subject
from ftkeras.errors import UserError
from ftkeras.figures.parts import Facts, Notice, Table, Text
from ftkeras.figures.parts import Part as Shown
from ftkeras.runs import audit, exported, folder, inputs, layout, signing
from ftkeras.support import files, hashes

LICENSED = ("data", "encoder", "teacher", "code")


def part(subject: Subject, parts: Mapping[str, Part]) -> Part:
    """Return the part about changes since the run was trained, exported, signed and documented.

    Args:
        subject: the run.
        parts: those about the data and licenses.
    """
    log = audit.read(subject.folder)
    digests, exports = folder.model_files(subject.folder), _exports(subject, log)
    broken = log.broken or _since_dossier(log, subject)
    changes = [
        *([broken] if broken else []),
        *_since_training(log, digests, parts["data"], subject.folder),
        *(f"{one['path']}: {text}" for one in exports for text in one["changes"]),
    ]
    relicensed = _licenses(log, parts["licenses"])
    data: dict[str, Any] = {
        # Files that have changed answer no clause. A license is of no file.
        "files": None if changes else digests,
        "found": digests,
        "changes": [*changes, *relicensed],
        "exports": exports,
        "audit_log": None if broken else [_entry(entry) for entry in log.entries],
        "head": log.head,
    }
    shown = [*_verdict(changes, log), *_new_licenses(relicensed), *_tables(data, log)]
    return Part("integrity", "Integrity", data, shown)


def licenses(part: Part) -> dict[str, str]:
    """Return the licenses that a dossier records, by what has them."""
    return {kind: part.data[kind] for kind in LICENSED if part.data.get(kind)}


def warnings(part: Part) -> list[str]:
    """Return lines about what has changed: the first changes, and how many more there are."""
    return hashes.first_of(part.data.get("changes", []))


def _since_dossier(log: audit.Log, subject: Subject) -> str:
    """Return whether the last entry of the last dossier's log has gone; "" if not."""
    recorded = files.read_json(subject.folder / layout.DOSSIER / "integrity.json").get("head")
    if recorded in (None, audit.FIRST, *log.hashes):
        return ""
    return (
        f"an entry of {layout.AUDIT_LOG} is changed or missing since the last dossier, which has "
        "its hash"
    )


def _since_training(
    log: audit.Log, digests: Mapping[str, str], data: Part, run_dir: pathlib.Path
) -> list[str]:
    trained = log.last("trained")
    if not trained:
        return []
    of_data = {
        file["path"]: file["sha256"]
        for file in data.data.get("files") or ()
        if file["split"] != UNLABELLED
    }
    changes = [*hashes.changes(trained["files"], digests), *_unlabelled(run_dir)]
    recorded = trained.get("data", {})
    if of_data:
        changes += hashes.changes(recorded, hashes.condensed(of_data))
    elif not hashes.is_condensed(recorded):  # of which the data card says why it can't be read
        changes += hashes.changes(recorded, _found(recorded))
    else:
        changes.append("the files of the data can't be read, so they may have changed")
    return [f"{text} since the training" for text in changes]


def _unlabelled(run_dir: pathlib.Path) -> list[str]:
    """Return which files without labels have changed since the run wrote down their hashes.

    Those are in a file of the model, whose own hash the audit log has.
    """
    recorded = inputs.read(run_dir).get("unlabelled", {})
    return [
        text
        for name, before in recorded.items()
        for text in hashes.changes(before, _digests_now(name))
    ]


def _digests_now(name: str) -> dict[str, str]:
    try:
        return inputs.digests([name])[name]
    except (UserError, OSError):  # such as of a file that is gone, so that its hash is missing
        return {}


def _found(names: Iterable[str]) -> dict[str, str]:
    """Return the digests of those files that are there."""
    paths = {name: pathlib.Path(name) for name in names}
    return {name: hashes.sha256(path) for name, path in paths.items() if path.is_file()}


def _licenses(log: audit.Log, part: Part) -> list[str]:
    """Return which licenses that were known in the last dossier are others now, or unknown."""
    before = log.last("dossier").get("licenses")
    if before is None or "items" not in part.data:
        return []
    now = licenses(part)
    return [
        f"the license of the {kind} was {before[kind]} in the last dossier, and is "
        f"{now.get(kind, 'unknown')}"
        for kind in LICENSED
        if before.get(kind) and before[kind] != now.get(kind)
    ]


def _exports(subject: Subject, log: audit.Log) -> list[dict[str, Any]]:
    """Return each export, with what has changed since it was written."""
    exports = []
    for path in subject.view.exports:
        recorded = _recorded(path, log)
        now = exported.digests(path) if path.is_dir() else {}
        if not now:
            changes = ["it is not there"]
        else:
            changes = [] if recorded is None else hashes.changes(recorded, now)
        is_signed = (path / layout.SIGNATURE).is_file()
        exports.append(
            {
                "path": str(path),
                "recorded": recorded is not None,
                "changes": changes,
                "signed": is_signed,
                "sha256": now,
            }
        )
    return exports


def _recorded(path: pathlib.Path, log: audit.Log) -> dict[str, str] | None:
    """Return the digests of an export when it was written; None if they were not recorded.

    Those of the audit log come first, as its entries can't be changed one by one.
    """
    logged = [entry["details"].get("export_files", {}) for entry in log.entries]
    # Verbs may have been given the run's folder as another path.
    found = [
        digests
        for exports in logged
        for name, digests in exports.items()
        if os.path.abspath(name) == os.path.abspath(path)
    ]
    return found[-1] if found else files.read_json(path / layout.EXPORT_RECORD).get("files")


def sign(subject: Subject, private_key: str) -> list[pathlib.Path]:
    """Sign the exports of a run, and return their signatures.

    Raises:
        UserError: if there is none, or it has changed since it was written, or that can't be known.
    """
    exports = _exports(subject, audit.read(subject.folder))
    if not exports:
        raise UserError(f"sign={private_key}: the run in {subject.folder} has no export.")
    for one in exports:
        if one["changes"]:
            raise UserError(f"sign={private_key}: {one['path']}: {one['changes'][0]}.")
        if not one["recorded"]:
            raise UserError(
                f"sign={private_key}: {one['path']}: the hashes of its files were not recorded, so "
                "it may have changed since it was written; export the run again."
            )
    return [signing.sign(pathlib.Path(one["path"]), private_key) for one in exports]


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry.get(name) for name in ("event", "time", "user", "machine")}


def _verdict(changes: list[str], log: audit.Log) -> list[Shown]:
    if changes:
        return [Notice(f"Changed: {'; '.join(changes)}.", "error")]
    if not log.last("trained"):
        text = (
            f"The run has no {layout.AUDIT_LOG} of its training, so changes since then don't show."
        )
        return [Notice(text)]
    return [Notice("No file has changed since it was trained or exported.", "good")]


def _new_licenses(changes: list[str]) -> list[Shown]:
    text = "; ".join(changes)
    return [Notice(f"{text[:1].upper()}{text[1:]}.")] if changes else []


def _tables(data: dict[str, Any], log: audit.Log) -> list[Shown]:
    exports = {
        one["path"]: f"{len(one['sha256']):,} files"
        f"{'' if one['recorded'] else ', whose hashes were not recorded'}; "
        f"{'signed' if one['signed'] else 'not signed'}"
        for one in data["exports"]
    }
    rows = [[name, digest] for name, digest in data["found"].items()]
    shown: list[Shown] = [Facts(exports)] if exports else [Text("The run has no export.")]
    shown.append(Table("model_files", "Files of the model", ["file", "SHA-256"], rows))
    if log.entries:
        names = ("event", "time", "user", "machine")
        entries = [[str(entry.get(name, "")) for name in names] for entry in log.entries]
        note = f"The hash of the last entry is {log.head}."
        shown.append(Table("audit_log", "Audit log", list(names), entries, note))
    return shown
