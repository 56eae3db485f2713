"""The installed packages that ftkeras needs, with their versions and licenses."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from ftkeras.dossiers import license_terms

# A text that is longer is the license itself, and no name.
LONGEST_NAME = 60


@dataclass(frozen=True)
class Package:
    """An installed package.

    Attributes:
        name, version: as it is installed.
        license: an SPDX expression, or "unknown".
        stated: what its metadata say about the license; "" if nothing.
        needs: the names of the installed packages that it requires.
    """

    name: str
    version: str
    license: str
    stated: str
    needs: tuple[str, ...]


def installed(root: str = "ftkeras") -> list[Package]:
    """Return a package and all that it requires, directly or not, by name.

    What only an extra requires, or is not installed, is left out.

    Args:
        root: the package to start from.
    """
    packages: dict[str, Package] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name in packages or (distribution := _distribution(name)) is None:
            continue
        required = [one for one in _required(distribution) if _distribution(one) is not None]
        stated = _stated(distribution.metadata)
        packages[name] = Package(
            name=name,
            version=distribution.version,
            license=next(
                (i for text in stated if (i := license_terms.identify(text)) != "unknown"),
                license_terms.UNKNOWN,
            ),
            stated="; ".join(stated),
            needs=tuple(required),
        )
        waiting += required
    return [packages[name] for name in sorted(packages)]


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _required(distribution: metadata.Distribution) -> Iterator[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for text in distribution.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def _stated(about: "metadata.PackageMetadata") -> list[str]:
    """Return a package's statements about its license, the most exact first."""
    classifiers = [
        one.rpartition(" :: ")[2]
        for one in about.get_all("Classifier") or []
        if one.startswith("License :: ") and not one.endswith(":: OSI Approved")
    ]
    named = [about.get_all(name) or [] for name in ("License-Expression", "License")]
    texts = [*named[0], *named[1], *classifiers]
    # setuptools wrote UNKNOWN where nothing was stated.
    lines = [text.strip().splitlines()[0] for text in texts if text and text.strip() != "UNKNOWN"]
    short = [line for line in lines if len(line) <= LONGEST_NAME]
    apache = ["Apache-2.0"] if "Apache Software License" in short else []
    return list(dict.fromkeys([*short, *apache]))
