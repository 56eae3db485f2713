"""SPDX license expressions, and what they say about a use."""

import fnmatch
import functools
import importlib.resources
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ftkeras.dossiers import about as about_file
from ftkeras.errors import UserError

# How packages write licenses that are not SPDX identifiers, in lower case without punctuation.
# "BSD License" is missing on purpose: it does not say which one.
ALIASES = {
    "apache 2": "Apache-2.0",
    "apache 20": "Apache-2.0",
    "apache license 20": "Apache-2.0",
    "apache license version 20": "Apache-2.0",
    "apache software license 20": "Apache-2.0",
    "mit license": "MIT",
    "the mit license": "MIT",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd 3 clause license": "BSD-3-Clause",
    "3 clause bsd license": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 2 clause license": "BSD-2-Clause",
    "isc license": "ISC",
    "isc license iscl": "ISC",
    "mozilla public license 20": "MPL-2.0",
    "mozilla public license 20 mpl 20": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "gnu general public license v2 gplv2": "GPL-2.0-only",
    "gnu general public license v3 gplv3": "GPL-3.0-only",
    "gnu lesser general public license v3 lgplv3": "LGPL-3.0-only",
    "the unlicense unlicense": "Unlicense",
    "cc by 40": "CC-BY-4.0",
    "cc by sa 40": "CC-BY-SA-4.0",
    "cc by nc 40": "CC-BY-NC-4.0",
}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Terms:
    """The terms of a license.

    Attributes:
        commercial: whether it may be used commercially.
        derivatives: whether what is derived from it may be given to others.
        same_license: whether that must then have the same license.
    """

    commercial: bool
    derivatives: bool
    same_license: bool


@dataclass(frozen=True)
class Finding:
    """The judgement of a license expression for a use.

    Attributes:
        conflicts: with the use, a phrase each.
        unknown: the identifiers whose terms are not known.
    """

    conflicts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def identify(text: str | None) -> str:
    """Return the SPDX expression that a text says, or "unknown".

    Args:
        text: an expression, an identifier in any case, or one of the common names of a license.

    Raises:
        UserError: if the package license-expression is not installed.
    """
    plain = " ".join(re.sub(r"[^\w ]", "", (text or "").replace("-", " ").lower()).split())
    written = ALIASES.get(plain, text)
    if not written:
        return UNKNOWN
    licensing = _licensing()
    try:
        return str(licensing.parse(written, validate=True, strict=True))
    except Exception:  # a parser of any text raises whatever it meets
        return UNKNOWN


def judge(expression: str, ask: Callable[[Terms], tuple[str, ...]]) -> Finding:
    """Judge an SPDX expression for a use.

    Of licenses joined by OR, the one with the fewest conflicts and unknown terms is chosen; those
    joined by AND all hold.

    Args:
        expression: what `identify` returned.
        ask: returns the conflicts of a license's terms with the use.
    """
    if expression == UNKNOWN:
        return Finding(unknown=(UNKNOWN,))
    return _judge(_licensing().parse(expression), ask)


def is_met(expression: str, accepts: Callable[[str], bool]) -> bool:
    """Return whether an SPDX expression can be met with licenses that are accepted.

    Args:
        expression: what `identify` returned, other than "unknown".
        accepts: whether an identifier is accepted.
    """
    return _is_met(_licensing().parse(expression), accepts)


def _is_met(node: Any, accepts: Callable[[str], bool]) -> bool:
    if not _is_joined(node):
        return accepts(str(node))
    return _quantifier(node)(_is_met(argument, accepts) for argument in node.args)


def _is_joined(node: Any) -> bool:
    return bool(getattr(node, "operator", ""))


def _quantifier(node: Any) -> Callable[..., bool]:
    return any if "OR" in node.operator.upper() else all


def _judge(node: Any, ask: Callable[[Terms], tuple[str, ...]]) -> Finding:
    if not _is_joined(node):
        return _judge_one(str(node), ask)
    judgements = [_judge(argument, ask) for argument in node.args]
    if _quantifier(node) is any:
        return min(judgements, key=lambda one: (len(one.conflicts), len(one.unknown)))
    return Finding(
        tuple(dict.fromkeys(text for one in judgements for text in one.conflicts)),
        tuple(dict.fromkeys(name for one in judgements for name in one.unknown)),
    )


def _judge_one(identifier: str, ask: Callable[[Terms], tuple[str, ...]]) -> Finding:
    plain = identifier.partition(" WITH ")[0]  # an exception only permits more
    for pattern, terms in _table():
        if fnmatch.fnmatchcase(plain, pattern):
            return Finding(tuple(f"{identifier} {text}" for text in ask(terms)))
    return Finding(unknown=(identifier,))


@functools.cache
def _table() -> list[tuple[str, Terms]]:
    home = importlib.resources.files("ftkeras.dossiers")
    entries = about_file.load(home.joinpath("license_terms.yaml").read_text(encoding="utf-8"))
    return [
        (
            entry["ids"],
            Terms(**{name: value == "yes" for name, value in entry.items() if name != "ids"}),
        )
        for entry in entries
    ]


@functools.cache
def _licensing() -> Any:
    try:
        from license_expression import get_spdx_licensing
    except ImportError:
        raise UserError(
            "licenses need the package license-expression: pip install 'ftkeras[dossier]'"
        ) from None
    return get_spdx_licensing()
