"""Record in the audit logs of runs which label of a served model their exports got."""

import logging
import pathlib
from collections.abc import Iterator, Mapping

from ftkeras.runs import audit, exported, layout

log = logging.getLogger(__name__)


def require_recordable(
    model: pathlib.Path, before: Mapping[str, int], after: Mapping[str, int]
) -> None:
    """Raise UserError if `record` can't add an entry, before anything is written.

    The arguments are those of `record`.
    """
    for run_dir, _, _ in _moves(model, before, after):
        if run_dir is not None:
            audit.require_writable(run_dir, f"model={model}: run")


def record(model: pathlib.Path, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Add an entry about each label that names another version than before.

    The run of a version that is not on this machine gets none, and a line says so.

    Args:
        model: the folder of versions.
        before: versions by label, such as stable, in the files that are replaced.
        after: the same in the new files.
    """
    for run_dir, label, version in _moves(model, before, after):
        if run_dir is None:
            log.info(
                f"note: the run of version {version} is not on this machine, so no "
                f"{layout.AUDIT_LOG} records that the version is {label} now"
            )
            continue
        about = {"model": str(model), "version": version, "label": label}
        audit.append(run_dir, "promoted", {**about, "instead_of": before.get(label)})


def _moves(
    model: pathlib.Path, before: Mapping[str, int], after: Mapping[str, int]
) -> Iterator[tuple[pathlib.Path | None, str, int]]:
    """Yield the run, None if it is not on this machine, the label and version of each move."""
    for label, version in after.items():
        if before.get(label) != version:
            run_dir = exported.run_of(model / str(version))
            is_here = run_dir is not None and run_dir.is_dir()
            yield run_dir if is_here else None, label, version
