"""The interface of an exported version: its labels in their order, and what it takes as input."""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.runs import layout, problem, signatures
from ftkeras.support import files, hashes

LABELS = pathlib.Path("assets") / "labels.txt"
# What decides the answers of a run or of a version, as patterns.
_DECIDING = (
    *(layout.WEIGHTS, layout.LABELS, layout.PROBLEM, layout.INPUTS, f"{layout.ENCODER}/**/*"),
    *(signatures.MODEL, "variables/*", str(LABELS)),
)
_SHOWN = 5
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPED = {escaped: character for character, escaped in _ESCAPED.items()}
_SPECIAL, _ESCAPE = re.compile(r"[\\\n\r]"), re.compile(r"\\[\\nr]")


def find_versions(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return the versions in a folder, oldest first."""
    models = [path.parent for path in folder.glob(f"*/{signatures.MODEL}")]
    return sorted((m for m in models if m.name.isdecimal()), key=lambda model: int(model.name))


def read_labels(version: pathlib.Path) -> tuple[str, ...]:
    """Return the labels of a version, in the order of its probabilities.

    Raises:
        OSError: if they can't be read.
    """
    return read_label_file(version / LABELS)


def read_label_file(path: pathlib.Path) -> tuple[str, ...]:
    """Return the labels that `write_labels` wrote.

    Raises:
        OSError: if they can't be read.
    """
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return tuple(_ESCAPE.sub(lambda match: _UNESCAPED[match[0]], line) for line in lines)


def read_problem(version: pathlib.Path) -> Problem:
    """Return the problem of a version; one without a file of labels has no names."""
    labels = read_labels(version) if (version / LABELS).exists() else ()
    return problem.read(version, labels)


def fingerprint(version: pathlib.Path) -> str:
    """Return the name of a version with a digest of its graph, weights and thresholds.

    The index of the variables holds a checksum of each, so the weights are not read.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in (signatures.MODEL, "variables/variables.index", layout.PROBLEM):
        if (version / name).exists():
            digest.update((version / name).read_bytes())
    return f"{version.absolute().parent.name}/{version.name} {digest.hexdigest()}"


def write_labels(path: pathlib.Path, labels: Sequence[str]) -> None:
    r"""Write one label per line; a line break in a label becomes `\n`, and a backslash `\\`."""
    lines = [_SPECIAL.sub(lambda match: _ESCAPED[match[0]], label) for label in labels]
    files.write_text(path, "\n".join(lines) + "\n")


@contextlib.contextmanager
def replacing(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a folder to fill, which takes the place of an export; see `files.replacing_folder`.

    What a user has added to the export, such as `.git`, stays.

    Raises:
        UserError: the export.json of the export is damaged.
    """
    recorded = files.read_json(folder / layout.EXPORT_RECORD).get("files", ())
    written = {folder / name for name in (*recorded, *layout.NOT_IN_EXPORT)}
    with files.replacing_folder(folder) as draft:
        yield draft
        for path in sorted(set(folder.rglob("*")) - written):
            _copy(path, draft / path.relative_to(folder))


def _copy(path: pathlib.Path, new: pathlib.Path) -> None:
    """Copy a file, a link or an empty folder, unless the new one exists."""
    if path.is_dir() and not path.is_symlink():
        if not any(path.iterdir()):  # git needs some
            new.mkdir(parents=True, exist_ok=True)
    elif not new.exists():
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, new, follow_symlinks=False)


def record(folder: pathlib.Path, figures: Mapping[str, Any]) -> None:
    """Write export.json: what is known of an export, and the SHA-256 of each of its files.

    Args:
        folder: of the export, whose other files are written.
        figures: its size, latency and verification.
    """
    files.write_json(folder / layout.EXPORT_RECORD, {**figures, "files": digests(folder)})


def digests(folder: pathlib.Path) -> dict[str, str]:
    """Return the SHA-256 of each file of an export, by its path from there."""
    return hashes.of_folder(folder, without=layout.NOT_IN_EXPORT)


def weights(folder: pathlib.Path) -> pathlib.Path | None:
    """Return the file of the weights of a run, or of an export's newest version; None if none is.

    Args:
        folder: of a run, of a version, or of versions.
    """
    newest = [folder, *find_versions(folder)][-1]
    paths = [folder / layout.WEIGHTS, *sorted(newest.glob("variables/variables.data-*"))]
    return next((path for path in paths if path.is_file()), None)


def deciding(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return the files that decide the answers of a run, or of an export's newest version.

    Args:
        folder: of a run, of a version, or of versions.
    """
    newest = [folder, *find_versions(folder)][-1]
    found = (path for pattern in _DECIDING for path in newest.glob(pattern))
    return sorted(path for path in found if path.is_file())


def audited(written: Sequence[pathlib.Path]) -> dict[str, Any]:
    """Return the audit log's entry about exports: their folders, and the digests of their files."""
    return {
        "exports": list(map(str, written)),
        "export_files": {str(folder): digests(folder) for folder in written},
    }


def path_to_run(version: pathlib.Path, run_dir: pathlib.Path) -> str:
    """Return the path from the folder of a version to that of its run, for export.json.

    >>> path_to_run(pathlib.Path("saved_models/news/1"), pathlib.Path("runs/news/a"))
    '../../../runs/news/a'
    """
    return pathlib.Path(os.path.relpath(run_dir, version)).as_posix()


def run_of(version: pathlib.Path) -> pathlib.Path | None:
    """Return the folder of the run that wrote a version, which may be gone; None if not recorded.

    Raises:
        UserError: export.json is damaged.
    """
    path = files.read_json(version / layout.EXPORT_RECORD).get("run")
    return None if path is None else pathlib.Path(os.path.normpath(version / path))


def takes_pairs(version: pathlib.Path) -> bool:
    """Return whether a version takes pairs of texts.

    Raises:
        OSError: if the version can't be read.
        ValueError: if it is damaged.
    """
    default = signatures.read_signatures(version).get("serving_default")
    return default is not None and "pair" in default.inputs


def require_same_interface(
    folder: pathlib.Path, labels: Sequence[str], *, kind: str, pairs: bool
) -> None:
    """Raise UserError unless a new version would answer as the newest one in the folder does.

    A server replaces a version by the next one, and clients rely on its outputs, labels and inputs.

    Args:
        folder: the folder of the versions, which need not exist.
        labels: of the new version.
        kind: of its problem, which decides about the outputs; see `Problem.kind`.
        pairs: whether it takes pairs of texts.

    Raises:
        UserError: if the problem, the labels, their order or the inputs differ, or can't be read.
    """
    if not (versions := find_versions(folder)):
        return
    newest = versions[-1]
    remedy = "file this run under another `name`, or export it all the same with `force`."
    try:
        before, paired = read_labels(newest), takes_pairs(newest)
    except (OSError, ValueError) as error:
        raise UserError(
            f"the labels of {newest}, the newest version, can't be read "
            f"({getattr(error, 'strerror', error)}); {remedy}"
        ) from None
    if (replaced := problem.read(newest, before).kind) != kind:
        raise UserError(
            f"the newest version, {newest}, is a {replaced}, but this run trains a {kind}, which "
            f"has other outputs; {remedy}"
        )
    if before != tuple(labels):
        order = " in another order" if set(before) == set(labels) else ""
        raise UserError(
            f"the newest version, {newest}, has the labels {_listed(before)}, but this run has "
            f"{_listed(labels)}{order}; {remedy}"
        )
    if paired != pairs:
        inputs = {False: "single texts", True: "pairs of texts"}
        raise UserError(
            f"the newest version, {newest}, takes {inputs[paired]}, but this run takes "
            f"{inputs[pairs]}; {remedy}"
        )


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(map(repr, labels[:_SHOWN]))
    return shown + (f", … ({len(labels)} in all)" if len(labels) > _SHOWN else "")
