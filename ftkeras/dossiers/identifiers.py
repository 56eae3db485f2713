"""Check digits of identifiers: of cards, bank accounts and national numbers."""

import re

from ftkeras.text.redactions.pii import IBAN_COUNTRIES

# Letters and digits in an IBAN, by country.
IBAN_LENGTHS = {
    country: length
    for length, countries in IBAN_COUNTRIES.items()
    for country in countries.split("|")
}
LETTERS_OF_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def compact(text: str) -> str:
    """Return the letters and digits of a text, in upper case.

    >>> compact("de89 3704-0044")
    'DE8937040044'
    """
    return re.sub(r"[\W_]", "", text).upper()


def is_card(text: str) -> bool:
    """Return whether a number has a card's first digit and length, and Luhn's check digit.

    It has 13 to 19 digits, or 12 that start with 5 or 6, without anything between them.

    Source: ISO/IEC 7812-1.

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(one) for one in compact(text)]
    begins = digits[0] in (2, 3, 4, 5, 6) or digits[:4] == [1, 8, 0, 0]  # JCB's
    least = 12 if digits[0] in (5, 6) and text.isdecimal() else 13
    if not least <= len(digits) <= 19 or not begins or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * d, 10)) if n % 2 else d for n, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def card(text: str) -> str | None:
    """Return the longest card number that a text begins with, as it is written; None if none is.

    >>> card("4111 1111 1111 1111 12"), card("4111 1111 1111 1112 12")
    ('4111 1111 1111 1111', None)
    """
    ends = [len(text), *(n for n in range(len(text) - 1, 0, -1) if not text[n].isdecimal())]
    return next((text[:end] for end in ends if is_card(text[:end])), None)


def iban(text: str) -> str | None:
    """Return the IBAN that a text begins with, as it is written; None if there is none.

    Source: ISO 13616 and ISO 7064, MOD 97-10.

    >>> iban("DE89 3704 0044 0532 0130 00 AND MORE"), iban("DE88 3704 0044 0532 0130 00")
    ('DE89 3704 0044 0532 0130 00', None)
    """
    length = IBAN_LENGTHS.get(text[:2].upper(), 0)
    places = [n for n, letter in enumerate(text) if letter.isalnum()][:length]
    if not length or len(places) < length:
        return None
    written = text[: places[-1] + 1]
    plain = compact(written)
    numbers = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
    return written if int(numbers) % 97 == 1 else None


def is_german_tax_id(text: str) -> bool:
    """Return whether a number is a German tax identification number.

    Of the first ten digits, one occurs twice or three times; the last is the check digit.

    Source: ISO 7064, MOD 11,10; § 139b AO.

    >>> is_german_tax_id("86095742719"), is_german_tax_id("86095742718")
    (True, False)
    """
    digits = [int(one) for one in compact(text)]
    counts = sorted(digits[:10].count(d) for d in set(digits[:10]))
    if len(digits) != 11 or not digits[0] or counts[-1] not in (2, 3) or counts[-2] != 1:
        return False
    product = 10
    for digit in digits[:10]:
        total = (digit + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == digits[10]


def is_spanish_dni(text: str) -> bool:
    """Return whether a text is a Spanish DNI or NIE, by its letter.

    >>> is_spanish_dni("12345678Z"), is_spanish_dni("X1234567L"), is_spanish_dni("12345678A")
    (True, True, False)
    """
    plain = compact(text)
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdecimal() and LETTERS_OF_DNI[int(number) % 23] == plain[-1]


def is_french_nir(text: str) -> bool:
    """Return whether a number is a French social security number, by its key.

    >>> is_french_nir("2 55 08 14 168 025 38"), is_french_nir("2 55 08 14 168 025 39")
    (True, False)
    """
    plain = compact(text)
    number = plain[:13].replace("2A", "19").replace("2B", "18")
    if len(plain) != 15 or not (number + plain[13:]).isdecimal():
        return False
    return 97 - int(number) % 97 == int(plain[13:])


def is_uk_nino(text: str) -> bool:
    """Return whether a UK national insurance number has a prefix that is in use.

    Source: HMRC, National Insurance Manual, NIM39110.

    >>> is_uk_nino("AB123456C"), is_uk_nino("GB123456A")
    (True, False)
    """
    return text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def mask(text: str) -> str:
    """Return a text in which all but the first two letters and digits are hidden.

    >>> mask("ann@example.org"), mask("+44 20 7946 0018")
    ('an•@•••••••.•••', '+44 •• •••• ••••')
    """
    shown, left = [], 2
    for letter in text:
        is_hidden = letter.isalnum() and left <= 0
        left -= letter.isalnum()
        shown.append("•" if is_hidden else letter)
    return "".join(shown)
