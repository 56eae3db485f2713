"""Build the parts of a dossier, and write them as a page and JSON files."""

import functools
import logging
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ftkeras.dossiers import (
    checklist,
    clauses,
    counterfactuals,
    data_card,
    evaluation,
    fairness,
    integrity,
    license_policy,
    licenses,
    materials,
    memorization,
    model,
    out_of_distribution,
    personal_data,
    privacy,
    reproducibility,
    robustness,
    statements,
    vulnerabilities,
)
from ftkeras.dossiers.part import Part, missing
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.figures.parts import Section
from ftkeras.pages import page
from ftkeras.support import files

log = logging.getLogger(__name__)


PAGE, CHECKLIST = "index.html", "checklist.json"
# In the order of the page, by the names that clauses use.
PARTS: Mapping[str, Callable[[Subject], Part]] = {
    "model": model.part,
    "statements": statements.part,
    "data": data_card.part,
    "licenses": licenses.part,
    "evaluation": evaluation.part,
    "fairness": fairness.part,
    "counterfactuals": counterfactuals.part,
    "robustness": robustness.part,
    "foreign": out_of_distribution.part,
    "personal_data": personal_data.part,
    "privacy": privacy.part,
    "memorization": memorization.part,
    "reproducibility": reproducibility.part,
    "vulnerabilities": vulnerabilities.part,
}
# Of these, each sums up the parts before it.
SUMMARIES: Mapping[str, Callable[[Subject, Mapping[str, Part]], Part]] = {
    "materials": materials.part,
    "integrity": integrity.part,
}
NAMES = (*PARTS, *SUMMARIES)


def build(subject: Subject) -> dict[str, Part]:
    """Return the parts about a run, by name.

    One that can't be built is replaced by its reason, so that its clauses are missing.

    Args:
        subject: the run.
    """
    parts = {name: _built(name, functools.partial(make, subject)) for name, make in PARTS.items()}
    for name, summarize in SUMMARIES.items():
        parts[name] = _built(name, functools.partial(summarize, subject, dict(parts)))
    return parts


def warnings(parts: Mapping[str, Part], policy: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing in the dossier that the user should look at.

    Args:
        parts: from `build`.
        policy: of licenses; see `license_policy.read`.
    """
    return [
        *integrity.warnings(parts["integrity"]),
        *vulnerabilities.warning(parts["vulnerabilities"]),
        *license_policy.warnings(policy, parts["licenses"].data),
    ]


def write(folder: pathlib.Path, subject: Subject, parts: Sequence[Part]) -> pathlib.Path:
    """Write a dossier completely or not at all, in the place of an earlier one.

    Args:
        folder: to write to.
        subject: the run.
        parts: in the order of the page.

    Returns:
        The path of the page.

    Raises:
        UserError: if the folder has something else in it.
    """
    require_own(folder)
    sections = [part.section for part in parts]
    with files.replacing_folder(folder) as draft:
        for part in parts:
            files.write_json(draft / f"{part.name}.json", dict(part.data))
            for name, document in part.documents.items():
                files.write_json(draft / name, dict(document))
        files.write_text(draft / PAGE, _html(subject, sections))
    return folder / PAGE


def require_own(folder: pathlib.Path) -> None:
    """Raise UserError if a folder holds something other than a dossier."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CHECKLIST).is_file():
        raise UserError(f"output={folder} has files in it and is no dossier; name another folder.")


def read_clauses(required: Sequence[str]) -> list[clauses.Clauses]:
    """Return the lists of clauses that come with the package, and those that are required.

    Args:
        required: names, or YAML files.

    Raises:
        UserError: if there is none of that name, a file is wrong, or two lists have one name.
    """
    taken = dict.fromkeys(checklist.OWN_KEYS, "a key of checklist.json")
    lists = []
    for path in dict.fromkeys([*clauses.names(), *required]):
        lists.append(clauses.read(path, NAMES))
        if (name := lists[-1].name) in taken:
            raise UserError(
                f"require={path}: {name} is also the name of {taken[name]}; rename the file."
            )
        taken[name] = f"the list {path}"
    return lists


def _html(subject: Subject, sections: Sequence[Section]) -> str:
    title = subject.about.text("system.name") or subject.view.title
    return page.html(f"Dossier: {title}", f"The run in {subject.folder}", sections, {})


def _built(name: str, make: Callable[[], Part]) -> Part:
    title = name.replace("_", " ").capitalize()
    try:
        return make()
    except UserError as error:
        log.info("%s", f"missing {name}: {error}")
        return missing(name, title, f"{str(error).rstrip('.')}.")
    except Exception as error:
        log.warning("%s", f"dossier: the part {name} failed: {error!r}", exc_info=True)
        return missing(name, title, f"failed: {error!r}.")
