"""Find personal data in texts by patterns, most of which have check digits."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ftkeras.dossiers import identifiers
from ftkeras.errors import UserError
from ftkeras.text.redactions.pii import DNI, NINO, NIR, PATTERNS, SSN, TAX_ID

# Where telephone numbers without a country code are taken for one.
REGIONS = ("US", "GB")

# Yields where something is in a text: the first character, and the one behind the last.
Detector = Callable[[str], Iterator[tuple[int, int]]]
# No number starts within another, or behind a decimal point.
_NUMBER = r"(?<![\d.,-])"
_GOES_ON = re.compile(r"\w", re.ASCII)


@dataclass(frozen=True)
class Found:
    """A piece of personal data in a text.

    Attributes:
        kind: one of `KINDS`.
        start, end: where it is, in characters.
    """

    kind: str
    start: int
    end: int


def find(text: str) -> list[Found]:
    """Return the personal data in a text, from left to right; they do not overlap.

    Where two kinds overlap, the one that stands first in `KINDS` counts.

    Raises:
        UserError: if the package phonenumbers is not installed.

    >>> [(one.kind, one.start) for one in find("Write to ann@example.org from 10.0.0.1.")]
    [('e-mail address', 9), ('IP address', 30)]
    """
    found: list[Found] = []
    for kind, detect in KINDS.items():
        for start, end in detect(text):
            if not any(start < one.end and one.start < end for one in found):
                found.append(Found(kind, start, end))
    return sorted(found, key=lambda one: one.start)


def _replaced(kind: str) -> Detector:
    """Return a function that finds what `--redact=pii` replaces, of a kind without a check."""
    # Python's `re` takes the square of a long text's length for repetitions without a bound.
    pattern = PATTERNS[kind].replace("*@", "{0,63}@").replace("]{2,}", "]{2,60}")
    compiled = re.compile(pattern, re.ASCII)

    def detect(text: str) -> Iterator[tuple[int, int]]:
        for match in compiled.finditer(text):
            kept = match.re.groups and match[1] is not None
            yield match.end(1) if kept else match.start(), match.end()

    return detect


def _checked(start: str, pattern: str, whole: Callable[[str], str | None]) -> Detector:
    """Return a function that finds valid matches, also those that begin within an invalid one.

    Args:
        start: a pattern of where they may start.
        pattern: of the longest text that may be one.
        whole: returns the beginning of such a text that is valid; None if there is none.
    """
    compiled = re.compile(f"{start}(?=({pattern}))")

    def detect(text: str) -> Iterator[tuple[int, int]]:
        for match in compiled.finditer(text):
            end = match.start() + len(whole(match[1]) or "")
            if end > match.start() and not _GOES_ON.match(text, end):
                yield match.start(), end

    return detect


def _if(is_valid: Callable[[str], bool]) -> Callable[[str], str | None]:
    return lambda text: text if is_valid(text) else None


def _phones(text: str) -> Iterator[tuple[int, int]]:
    if sum(map(str.isdigit, text)) < 7:
        return
    try:
        import phonenumbers
    except ImportError:
        raise UserError(
            "telephone numbers need the package phonenumbers: pip install 'ftkeras[dossier]'"
        ) from None
    for region in REGIONS:
        match: Any
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            yield match.start, match.end


# Those with check digits first. What they look like is shared with the redaction, so that whatever
# it replaces is found if the check digits are right.
KINDS: dict[str, Detector] = {
    "e-mail address": _replaced("email"),
    "bank account (IBAN)": _checked(
        r"\b", r"[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}", identifiers.iban
    ),
    "German tax id": _checked(_NUMBER, TAX_ID, _if(identifiers.is_german_tax_id)),
    "French NIR": _checked(_NUMBER, NIR, _if(identifiers.is_french_nir)),
    "Spanish DNI or NIE": _checked(r"\b", DNI, _if(identifiers.is_spanish_dni)),
    "US social security number": _checked(_NUMBER, SSN, str),
    "UK national insurance number": _checked(r"\b", NINO, _if(identifiers.is_uk_nino)),
    # The date until which a card is valid may follow, as if it were more of the number.
    "card number": _checked(_NUMBER, r"\d(?:[ -]?\d){11,18}", identifiers.card),
    "IP address": _replaced("ip"),
    "telephone number": _phones,
    "postal address": _replaced("address"),
}
