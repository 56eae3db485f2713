"""Record in the audit logs of runs which label of a served model their exports got."""

import logging
import pathlib
from collections.abc import Iterator

from ftkeras.runs import audit, exported, layout
from ftkeras.serving.manifests import Plan

log = logging.getLogger(__name__)


def require_recordable(model: pathlib.Path, before: Plan | None, after: Plan) -> None:
    """Raise UserError if `record` can't add an entry, before anything is written.

    The arguments are those of `record`.
    """
    for run_dir, *_ in _moves(model, before, after):
        if run_dir is not None:
            audit.require_writable(run_dir, f"model={model}: run")


def record(model: pathlib.Path, before: Plan | None, after: Plan) -> None:
    """Add an entry about each label that names another version than before.

    The run of a version that is not on this machine gets none, and a line says so.

    Args:
        model: the folder of versions.
        before: versions by label, such as stable, in the files that are replaced; None if none are.
        after: the same in the new files.
    """
    for run_dir, label, version, instead_of in _moves(model, before, after):
        if run_dir is None:
            log.info(
                f"note: the run of version {version} is not on this machine, so no "
                f"{layout.AUDIT_LOG} records that the version is {label} now"
            )
            continue
        about = {"model": str(model), "version": version, "label": label}
        audit.append(run_dir, "promoted", {**about, "instead_of": instead_of})


def _moves(
    model: pathlib.Path, before: Plan | None, after: Plan
) -> Iterator[tuple[pathlib.Path | None, str, int, int | None]]:
    """Yield each label that moves: run, None if not here, label, version and the one before."""
    labels = before.labels if before else {}
    for label, version in after.labels.items():
        if labels.get(label) != version:
            run_dir = exported.run_of(model / str(version))
            is_here = run_dir is not None and run_dir.is_dir()
            yield run_dir if is_here else None, label, version, labels.get(label)
