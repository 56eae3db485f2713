"""Policies that refuse a release because of licenses."""

import re
from collections.abc import Mapping
from typing import Any

from ftkeras.dossiers import about as about_file
from ftkeras.dossiers import license_terms
from ftkeras.dossiers.license_terms import UNKNOWN
from ftkeras.errors import UserError
from ftkeras.support.nearest import hint

# Refuse nothing; what conflicts with the stated use; that, and what is unknown.
POLICIES = ("report", "conflicts", "strict")
KEYS = ("allow", "deny", "unknown")


def read(policy: str) -> dict[str, Any]:
    """Return the rules of a policy.

    Args:
        policy: one of `POLICIES`; or a YAML file with the keys `allow` and `deny`, lists of SPDX
            identifiers, and `unknown`: refuse or accept (the default). A license with none of the
            allowed identifiers is refused, if any are listed. Each key may be missing.

    Raises:
        UserError: if there is no such policy, or the file is wrong.
    """
    if policy in POLICIES:
        return {"conflicts": policy != "report", "unknown": policy == "strict"}
    blame = f"license_policy={policy}"
    if not policy.endswith((".yaml", ".yml")):
        raise UserError(
            f"{blame}: there is no such policy{hint(policy, POLICIES)} "
            f"Use {', '.join(POLICIES)}, or a .yaml file."
        )
    content = about_file.read_yaml(policy, blame)
    for key in content:
        if key not in KEYS:
            raise UserError(f"{blame}: there is no key {key!r}; the keys are {', '.join(KEYS)}.")
    unknown = content.get("unknown", "accept")
    if unknown not in ("refuse", "accept"):
        raise UserError(f"{blame}: `unknown` must be refuse or accept. Received: {unknown!r}.")
    lists = {key: _identifiers(content.get(key, []), key, blame) for key in ("allow", "deny")}
    return {"conflicts": True, "unknown": unknown == "refuse", **lists}


def refusals(policy: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Return the reasons for which a policy refuses a run, a phrase each.

    Args:
        policy: what `read` returned.
        data: the content of licenses.json; without "items" if it could not be measured.
    """
    refuses = policy["conflicts"] or policy["unknown"] or policy.get("deny") or policy.get("allow")
    if "items" not in data and refuses:
        return [f"the licenses could not be measured: {data.get('missing', 'no reason is known')}"]
    reasons = list(data.get("conflicts", ())) if policy["conflicts"] else []
    if policy["unknown"]:
        reasons += [f"{name}: unknown license" for name in data.get("unknown", ())]
    denied, allowed = set(policy.get("deny", ())), set(policy.get("allow", ()))
    for one in data.get("items", ()):
        if one["license"] == UNKNOWN:
            continue
        name = f"{one['of']} {one['name']}"
        if not license_terms.is_met(one["license"], lambda id: id not in denied):
            reasons.append(f"{name}: {one['license']} is denied")
        elif allowed and not license_terms.is_met(one["license"], lambda id: id in allowed):
            reasons.append(f"{name}: {one['license']} is not allowed")
    return reasons


def warnings(policy: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Return a line about the conflicts that a policy does not refuse, if there are any.

    Args:
        policy: what `read` returned.
        data: the content of licenses.json.
    """
    conflicts = data.get("conflicts", ())
    if policy["conflicts"] or not conflicts:
        return []
    if len(conflicts) == 1:
        return [f"1 license conflict with the stated use: {conflicts[0]}"]
    return [f"{len(conflicts)} license conflicts with the stated use; the first is {conflicts[0]}"]


def _identifiers(value: Any, key: str, blame: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise UserError(f"{blame}: `{key}` must be a list of SPDX identifiers.")
    identifiers = []
    for text in value:
        identifier = license_terms.identify(text)
        # An exception makes another identifier, but AND and OR join several.
        if identifier == UNKNOWN or re.search(" (AND|OR) ", identifier):
            raise UserError(f"{blame}: `{key}`: {text!r} is no SPDX identifier.")
        identifiers.append(identifier)
    return tuple(identifiers)
