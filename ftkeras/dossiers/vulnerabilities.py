"""The part about known vulnerabilities of the installed packages."""

from typing import Any

from ftkeras.dossiers import osv, software
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.figures.parts import Facts, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.support import hashes, plurals


def part(subject: Subject) -> Part:
    """Return the part about what a database says of the packages that ftkeras requires.

    Its key `none` is true if the database has no vulnerability of them.

    Raises:
        UserError: if no database is named, or it can't be read.
    """
    if subject.vulnerabilities is None:
        raise UserError(
            "no database was named; download one, such as https://osv-vulnerabilities.storage."
            "googleapis.com/PyPI/all.zip, and name it with --vulnerabilities"
        )
    database = osv.read(subject.vulnerabilities)
    packages = software.installed()
    found = [vars(one) for one in osv.match(database, packages)]
    data: dict[str, Any] = {
        "database": {
            "file": subject.vulnerabilities,
            "entries": database.read,
            "of_pypi": len(database.entries),
            "newest": database.newest,
        },
        "packages": len(packages),
        "found": found,
        "skipped": osv.skipped(database, packages),
        "none": None if found else True,
    }
    return Part("vulnerabilities", "Known vulnerabilities", data, _shown(data))


def warning(part: Part) -> list[str]:
    """Return lines that count and name the first: of vulnerabilities, and of what was skipped."""
    lines = []
    if found := part.data.get("found"):
        first = found[0]
        lines.append(
            f"{len(found):,} known vulnerabilities of installed packages, first {first['id']} of "
            f"{first['package']} {first['version']}"
        )
    if skipped := part.data.get("skipped"):
        lines.append(
            f"{plurals.counted(len(skipped), 'range', 'ranges')} of the database skipped, because "
            f"a version or a type is missing; the first is {skipped[0]}"
        )
    return lines


def _shown(data: dict[str, Any]) -> list[Shown]:
    found, database = data["found"], data["database"]
    rows = [
        [
            f"{one['package']} {one['version']}",
            ", ".join([one["id"], *one["aliases"]]),
            one["summary"],
            one["fixed"] or None,
            "; ".join(one["severity"]) or None,
        ]
        for one in found
    ]
    columns = ["package", "vulnerability", "summary", "fixed in", "severity"]
    facts = {
        "Database": f"{database['file']}, {database['entries']:,} entries, "
        f"{database['of_pypi']:,} of them about PyPI, the newest of {database['newest']}",
        "Packages": f"{data['packages']:,}: those that ftkeras requires",
    }
    skipped = data["skipped"]
    if skipped:
        facts["Skipped"] = (
            f"of ranges, what names no version: {'; '.join(hashes.first_of(skipped))}"
        )
    if not found:
        text = "The database has no vulnerability of the installed versions."
        return [Notice(text, "info" if skipped else "good"), Facts(facts)]
    text = f"The database has {len(found):,} vulnerabilities of the installed versions."
    return [Notice(text), Facts(facts), Table("vulnerabilities", "Vulnerabilities", columns, rows)]
