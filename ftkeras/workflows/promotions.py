"""Record in the audit logs of runs which label of a served model their exports got."""

import logging
import pathlib
from collections.abc import Mapping

from ftkeras.runs import audit, exported, layout

log = logging.getLogger(__name__)


def record(model: pathlib.Path, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Add an entry about each label that names another version than before.

    The run of a version that is not on this machine gets none, and a line says so.

    Args:
        model: the folder of versions.
        before: versions by label, such as stable, in the files that are replaced.
        after: the same in the new files.
    """
    for label, version in after.items():
        if before.get(label) == version:
            continue
        run_dir = exported.run_of(model / str(version))
        if run_dir is None or not run_dir.is_dir():
            log.info(
                f"note: the run of version {version} is not on this machine, so no "
                f"{layout.AUDIT_LOG} records that the version is {label} now"
            )
            continue
        about = {"model": str(model), "version": version, "label": label}
        audit.append(run_dir, "promoted", {**about, "instead_of": before.get(label)})
