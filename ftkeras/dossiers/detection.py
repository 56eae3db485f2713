"""Find personal data in texts by patterns, most of which have check digits."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ftkeras.dossiers import identifiers
from ftkeras.errors import UserError
from ftkeras.text.redactions.pii import STREETS

# Where telephone numbers without a country code are taken for one.
REGIONS = ("US", "GB")


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


def _matching(
    pattern: str, is_valid: Callable[[str], bool] = lambda text: True
) -> Callable[[str], Iterator[tuple[int, int]]]:
    """Return a function that finds the valid matches of a pattern."""
    compiled = re.compile(pattern)

    def detect(text: str) -> Iterator[tuple[int, int]]:
        for match in compiled.finditer(text):
            if is_valid(match[0]):
                yield match.span()

    return detect


# Looks ahead, as what looks like the beginning of an IBAN may run across spaces into the next one.
_IBAN = re.compile(r"\b(?=([A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}))")


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        end = match.start() + len(identifiers.iban(match[1]) or "")
        if end > match.start() and not text[end : end + 1].isalnum():
            yield match.start(), end


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


# Those with check digits first. Digits that go on, or a decimal point, make another number.
# Repetitions are bounded, so that long texts without spaces take no longer than others.
KINDS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "e-mail address": _matching(
        r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
    ),
    "bank account (IBAN)": _ibans,
    "German tax id": _matching(
        r"(?<![\d.,-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![\d]|[.,-]\d)", identifiers.is_german_tax_id
    ),
    "French NIR": _matching(
        r"(?<![\d.,-])[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\d]|[.,-]\d)",
        identifiers.is_french_nir,
    ),
    "Spanish DNI or NIE": _matching(
        r"\b(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]\b", identifiers.is_spanish_dni
    ),
    "US social security number": _matching(
        r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"
    ),
    "UK national insurance number": _matching(
        r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
        r" ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"
    ),
    "card number": _matching(
        r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d]|[.,-]\d)", identifiers.is_card
    ),
    "IP address": _matching(
        r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})"
        r"(?![\w:]|\.\d)",
        identifiers.is_ip_address,
    ),
    "telephone number": _phones,
    "postal address": _matching(
        rf"(?<![\w.,-])[1-9]\d{{0,4}}[a-z]?\s+(?:[A-Z][\w'.-]*\s+){{1,4}}(?:{STREETS})s?\b"
        r"|\b[A-ZÄÖÜ][\wäöüß-]{2,60}\s?(?:[Ss]traße|[Ss]tr\.|[Ww]eg|[Pp]latz|[Aa]llee|[Gg]asse|[Rr]ing)"
        r"\s+\d{1,4}[a-z]?\b"
    ),
}
