"""Replace personal data that patterns find."""

from typing import Any

from ftkeras.text.redactions import Rule

# Of streets in English: most of the suffixes of the US Postal Service, publication 28.
STREETS = (
    "Alley|Avenue|Ave|Bend|Boulevard|Blvd|Branch|Bridge|Brook|Burg|Bypass|Canyon|"
    "Center|Circle|Close|Common|Corner|Court|Ct|Cove|Creek|Crescent|Crossing|Dale|"
    "Drive|Dr|Estate|Expressway|Extension|Field|Flat|Ford|Forest|Freeway|Gardens|"
    "Gate|Glen|Green|Grove|Harbor|Haven|Heights|Highway|Hill|Hollow|Island|Isle|"
    "Junction|Key|Knoll|Lake|Landing|Lane|Ln|Lodge|Manor|Meadow|Mews|Mill|"
    "Mission|Motorway|Mount|Mountain|Orchard|Oval|Park|Parkway|Pass|Passage|Path|"
    "Pike|Pine|Place|Plain|Plaza|Point|Port|Prairie|Radial|Ranch|Rapid|Rest|"
    "Ridge|River|Road|Rd|Route|Row|Rue|Run|Shoal|Shore|Skyway|Spring|Spur|"
    "Square|Station|Stravenue|Stream|Street|St|Summit|Terrace|Throughway|Trace|"
    "Track|Trafficway|Trail|Tunnel|Turnpike|Underpass|Union|Valley|Via|Viaduct|"
    "View|Village|Ville|Vista|Walk|Wall|Way|Well"
)

# Countries of the IBAN registry (SWIFT, release 98), by the letters and digits of their numbers.
IBAN_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK|FI|FK|FO|GL|NL|SD",
    19: "MK|SI",
    20: "AT|BA|EE|KZ|LT|LU|MN|XK",
    21: "CH|HR|LI|LV",
    22: "BG|BH|CR|DE|GB|GE|IE|ME|RS|VA",
    23: "AE|GI|IL|IQ|OM|SO|TL",
    24: "AD|CZ|ES|MD|PK|RO|SA|SE|SK|TN|VG",
    25: "LY|PT|ST",
    26: "IS|TR",
    27: "BI|DJ|FR|GR|IT|MC|MR|SM",
    28: "AL|AZ|BY|CY|DO|GT|HN|HU|LB|NI|PL|SV",
    29: "BR|EG|PS|QA|UA",
    30: "JO|KW|MU|YE",
    31: "MT|SC",
    32: "LC",
    33: "RU",
}


def _iban(length: int, countries: str) -> str:
    """Return the expression of numbers in groups of four, which spaces may separate."""
    groups, rest = divmod(length - 4, 4)
    last = rf" ?[A-Z0-9]{{{rest}}}" if rest else ""
    return rf"(?:{countries})\d\d(?: ?[A-Z0-9]{{4}}){{{groups}}}{last}"


# No number starts within a word or another number, or behind a decimal point.
_START = r"(^|[^\w.,-])"
SSN = (
    r"(?:00[1-9]|0[1-9]\d|[1-578]\d\d|6[0-57-9]\d|66[0-57-9])"
    r"-(?:0[1-9]|[1-9]\d)-(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
)
NINO = r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]"
NIR = r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d"
DNI = r"(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]"
TAX_ID = r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}"
_CARD = (
    r"(?:2[2-7]|[3-6]\d)\d\d(?:[ -]?\d{4}){3}\d{0,3}"
    r"|3\d{3}[ -]?\d{6}[ -]?\d{4,5}|4\d{12}|[56]\d{11,14}|(?:2131|1800)\d{11}"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_HEX = "[0-9A-Fa-f]{1,4}"
_LAST = f"(?:{_IPV4}|{_HEX})"
# What global, private, link-local and multicast addresses of IPv6 start with.
_NETWORK = "(?:[23][0-9A-Fa-f]{3}|[Ff][CDEFcdef][0-9A-Fa-f]{2})"
# Those with a letter and a digit. Others before "::" may be numbers or names, such as 2023 or feed.
_MIXED = (
    r"(?:[23](?:[A-Fa-f][0-9A-Fa-f]{2}|\d[A-Fa-f][0-9A-Fa-f]|\d\d[A-Fa-f])"
    r"|[Ff][CDEFcdef](?:\d[0-9A-Fa-f]|[A-Fa-f]\d))"
)
_FLAT = r"(?:,? (?:Suite|Apt\.?|Unit|Flat) \d+\w*)?"
_EXTENSION = r"(?: ?(?:x|ext\.? ?)\d{1,5})?"
# À to ɏ are the letters of Latin-1, Latin Extended-A and Latin Extended-B.
_RULES = (
    Rule(
        "email",
        r"[\wÀ-ɏ][\wÀ-ɏ.%+'-]*@[A-Za-z0-9À-ɏ-]+(?:\.[A-Za-z0-9À-ɏ-]+)*"
        r"\.(?:xn--[A-Za-z0-9-]*\w|[A-Za-z]\w+)",
        "[EMAIL]",
    ),
    Rule(
        "iban",
        rf"\b(?:{'|'.join(_iban(*item) for item in IBAN_COUNTRIES.items())})\b",
        "[IBAN]",
    ),
    Rule("id", rf"{_START}(?:{SSN}|{NINO}|{NIR}|{DNI}|{TAX_ID})\b", r"\1[ID]"),
    Rule("card", rf"{_START}(?:{_CARD})\b", r"\1[CARD]"),
    Rule(
        "ip",
        rf"\b{_IPV4}\b|\b(?:{_HEX}:){{7}}{_HEX}\b"
        rf"|\b(?:{_NETWORK}(?::{_HEX}){{1,6}}|{_MIXED})::(?:(?:{_HEX}:){{0,5}}{_LAST}\b)?"
        rf"|\b{_NETWORK}::(?:{_HEX}:){{1,5}}{_LAST}\b"
        rf"|\b(?:{_HEX}:){{2,6}}(?::{_HEX}){{1,6}}\b|\b{_HEX}:(?::{_HEX}){{2,6}}\b"
        # No placeholder stands before it, so that replacing twice changes nothing.
        rf"|(^|[^\w:\]])::(?:[Ff]{{4}}:)?(?:{_IPV4}|1)\b",
        r"\1[IP]",
    ),
    Rule(
        "address",
        rf"\b\d{{1,5}}[a-z]? +(?:[A-Z][\w'.-]* +){{1,4}}(?:{STREETS})s?{_FLAT}\b"
        r"|(?:\b[A-Z]|[ÄÖÜ])[A-ZÄÖÜa-zäöüß-]{2,} ?(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.|[Ww]eg|[Pp]latz"
        r"|[Aa]llee|[Gg]asse|[Rr]ing) +\d{1,4}[a-z]?(?:[/-]\d{1,4}[a-z]?)?\b",
        "[ADDRESS]",
    ),
    Rule(
        "phone",
        r"(?:\b00|\+)[1-9](?:[ ./-]?\(?\d\)?){5,13}[ ./-]?\d" + _EXTENSION + r"\b"
        r"|(?:\b1[ .-]?)?(?:\([2-9]\d\d\) ?|\b[2-9]\d\d[ .-]?)\d{3}[ .-]?\d{4}" + _EXTENSION + r"\b"
        r"|(?:\(0\d{2,4}\) ?|\b0\d{2,4}[ -]?)\d{3,4}[ -]?\d{3,4}" + _EXTENSION + r"\b",
        "[PHONE]",
    ),
)
PATTERNS = {rule.kind: rule.pattern for rule in _RULES}
KINDS = tuple(PATTERNS)


class PII:
    r"""Replace personal data by placeholders: `ann@example.org` becomes `[EMAIL]`.

    | kind | placeholder | finds |
    |---|---|---|
    | `email` | `[EMAIL]` | e-mail addresses |
    | `iban` | `[IBAN]` | bank accounts of the 89 countries that have IBANs |
    | `id` | `[ID]` | US SSN, UK NINO, French NIR, Spanish DNI and NIE, German tax ids |
    | `card` | `[CARD]` | card numbers, by their first digits and lengths |
    | `ip` | `[IP]` | IPv4 and IPv6 addresses |
    | `address` | `[ADDRESS]` | English and German streets with a number |
    | `phone` | `[PHONE]` | telephone numbers: international ones, and those of the US and UK |

    The same regular expressions are used in training and in the exported graph, so both read the
    same text. They can't compute check digits, so they also replace some numbers that are not
    personal, such as an order number of 14 digits. Names of people are not replaced. Replacing
    twice changes nothing. In a run's folder, entities and answers are places in the redacted text;
    an export returns them as places in the text that it is given.

    Args:
        kinds: what to replace, such as ('email', 'phone'); all kinds by default.

    Raises:
        ValueError: if a kind is unknown or named twice. The message names it.

    >>> import tensorflow as tf
    >>> from ftkeras.text.redactions import replace
    >>> replace(PII(), tf.constant("Write to ann@example.org or call +49 30 901820.")).numpy()
    b'Write to [EMAIL] or call [PHONE].'
    """

    def __init__(self, kinds: tuple[str, ...] | None = None):
        chosen = KINDS if kinds is None else kinds
        named = list(chosen) if isinstance(chosen, (tuple, list)) else [chosen]
        if not named or len(set(named)) < len(named) or not set(named) <= set(KINDS):
            raise ValueError(
                f"`kinds` must be some of {', '.join(KINDS)}, each once. Received: {kinds!r}."
            )
        self.kinds = tuple(named)
        self.rules = tuple(rule for rule in _RULES if rule.kind in named)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"kinds": self.kinds}
