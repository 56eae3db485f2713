"""Find out to which profiles of SPDX 3.0.1 a bill of materials conforms, and what others lack.

Source: the sections "External properties cardinality updates" of
https://spdx.github.io/spdx-spec/v3.0.1/model/AI/Classes/AIPackage and
https://spdx.github.io/spdx-spec/v3.0.1/model/Dataset/Classes/DatasetPackage, and the sections
"Profile conformance" of https://spdx.github.io/spdx-spec/v3.0.1/model/AI/AI and
https://spdx.github.io/spdx-spec/v3.0.1/model/Dataset/Dataset.
"""

from collections.abc import Iterable, Mapping
from typing import Any

ALWAYS = ("core", "software", "simpleLicensing")
LICENSES = ("hasDeclaredLicense", "hasConcludedLicense")
# The class of element that a profile is about, and the properties that it makes mandatory.
MANDATORY = {
    "ai": (
        "ai_AIPackage",
        (
            *("releaseTime", "suppliedBy", "software_downloadLocation"),
            *("software_packageVersion", "software_primaryPurpose"),
        ),
    ),
    "dataset": (
        "dataset_DatasetPackage",
        (
            *("builtTime", "originatedBy", "releaseTime", "software_downloadLocation"),
            *("software_primaryPurpose", "dataset_datasetType"),
        ),
    ),
}
# The sections and keys of about.yaml that state them.
SECTIONS = {"model": "system", "encoder": "encoder", "teacher": "teacher", "data": "data"}
KEYS = {
    "releaseTime": "released",
    "builtTime": "built",
    "suppliedBy": "provider",
    "originatedBy": "author",
    "software_downloadLocation": "download",
    "software_packageVersion": "version",
}


def missing(elements: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the keys of about.yaml that each profile lacks; an empty list if it conforms.

    Args:
        elements: all elements of the bill of materials.
    """
    everything = list(elements)
    licensed = [
        {one["from"] for one in everything if one.get("relationshipType") == kind}
        for kind in LICENSES
    ]
    lacking: dict[str, list[str]] = {}
    for profile, (kind, properties) in MANDATORY.items():
        lacking[profile] = []
        for one in everything:
            if one["type"] != kind:
                continue
            section = SECTIONS[component(one)]
            lacks = [KEYS[name] for name in properties if name not in one]
            lacks += ["license"] * any(one["spdxId"] not in owners for owners in licensed)
            named = [f"{section}.{key}" for key in lacks]
            lacking[profile] += [key for key in named if key not in lacking[profile]]
    return lacking


def component(element: Mapping[str, Any]) -> str:
    """Return the kind of an element: "model", "encoder", "teacher" or "data".

    >>> component({"spdxId": "urn:uuid:0-1#encoder-1"})
    'encoder'
    """
    return element["spdxId"].rpartition("#")[2].partition("-")[0]
