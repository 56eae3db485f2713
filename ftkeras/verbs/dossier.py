"""Write the dossier of a finished run: what was measured, stated and is missing."""

import logging
import pathlib

from ftkeras.config.dossier import DossierConfig
from ftkeras.dossiers import about as about_file
from ftkeras.dossiers import (
    checklist,
    clauses,
    integrity,
    license_policy,
    subject,
    writing,
)
from ftkeras.dossiers.about import About
from ftkeras.errors import Blocked
from ftkeras.pages import page
from ftkeras.runs import audit, layout, signing
from ftkeras.support import files

log = logging.getLogger(__name__)


def run(config: DossierConfig) -> pathlib.Path:
    """Write the dossier, or the template of about.yaml, and return its path.

    Raises:
        UserError: if the folder is not that of a run, its audit log can't be written, about.yaml or
            a list of clauses is wrong, or a package is not installed.
        Blocked: after the dossier was written, if a required clause is missing or the policy of
            licenses refuses something.
    """
    if config.sign is not None:
        signing.check_private_key(config.sign)
    if config.template is not None:
        return _write_template(config.template)
    assert config.run_dir is not None, "checked by DossierConfig"
    page.check_packages()
    about = About() if config.about is None else about_file.read(config.about)
    lists = writing.read_clauses(config.require)
    policy = license_policy.read(config.license_policy)
    run_dir = pathlib.Path(config.run_dir)
    folder = files.require_writable(config.output or run_dir / layout.DOSSIER, "output")
    writing.require_own(folder)
    options = {name: getattr(config, name) for name in subject.OPTIONS}
    with subject.opened(run_dir, about, folder, **options) as run_and_data:
        audit.require_writable(run_dir)
        if config.sign is not None:
            for signature in integrity.sign(run_and_data, config.sign):
                log.info("%s", f"signed  {signature}")
        parts = writing.build(run_and_data)
        answered = [
            (one, [clauses.answer(clause, parts, about) for clause in one.clauses]) for one in lists
        ]
        required = [pathlib.Path(name).stem for name in config.require]
        summary = checklist.part(answered, required)
        path = writing.write(folder, run_and_data, [summary, *parts.values()])
    recorded = {"folder": str(folder), "licenses": integrity.licenses(parts["licenses"])}
    audit.append(run_dir, "dossier", recorded)
    for line in writing.warnings(parts, policy):
        log.warning("%s", line)
    log.info("%s", f"dossier {path}")
    refused = license_policy.refusals(policy, parts["licenses"].data)
    if reasons := [*filter(None, [checklist.shortfall(answered, required)]), *refused[:1]]:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise Blocked(f"{'; and '.join(reasons)}{more}.")
    return path


def _write_template(name: str) -> pathlib.Path:
    path = pathlib.Path(name)
    files.require_new(path, "template")
    files.write_text(path, about_file.template())
    log.info("%s", f"written {path}: fill it in, and pass it as --about")
    return path
