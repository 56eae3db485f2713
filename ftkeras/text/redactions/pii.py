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

# Countries of the IBAN registry (SWIFT, release 98).
_IBAN_COUNTRIES = (
    "AD|AE|AL|AT|AZ|BA|BE|BG|BH|BI|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FK|FO|FR|GB|GE|GI|GL|"
    "GR|GT|HN|HR|HU|IE|IL|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|LY|MC|MD|ME|MK|MN|MR|MT|MU|NI|NL|NO|"
    "OM|PK|PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|SI|SK|SM|SO|ST|SV|TL|TN|TR|UA|VA|VG|XK|YE"
)
# No number starts within a word or another number, or behind a decimal point.
_START = r"(^|[^\w.,-])"
_SSN = (
    r"(?:00[1-9]|0[1-9]\d|[1-578]\d\d|6[0-57-9]\d|66[0-57-9])"
    r"-(?:0[1-9]|[1-9]\d)-(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
)
_NINO = r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]"
_NIR = r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d"
_DNI = r"(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]"
_TAX_ID = r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}"
_CARD = (
    r"(?:2[2-7]|[3-6]\d)\d\d(?:[ -]?\d{4}){3}\d{0,3}"
    r"|3\d{3}[ -]?\d{6}[ -]?\d{4,5}|4\d{12}|[56]\d{11,14}|(?:2131|1800)\d{11}"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_HEX = "[0-9A-Fa-f]{1,4}"
_FLAT = r"(?:,? (?:Suite|Apt\.?|Unit|Flat) \d+\w*)?"
_EXTENSION = r"(?: ?(?:x|ext\.? ?)\d{1,5})?"
# À to ɏ are the letters of Latin-1, Latin Extended-A and Latin Extended-B.
_RULES = (
    Rule(
        "email",
        r"[\wÀ-ɏ][\wÀ-ɏ.%+-]*@[A-Za-z0-9À-ɏ-]+(?:\.[A-Za-z0-9À-ɏ-]+)*\.[A-Za-z]\w+",
        "[EMAIL]",
    ),
    Rule(
        "iban",
        rf"\b(?:{_IBAN_COUNTRIES})\d\d(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,3}})?\b",
        "[IBAN]",
    ),
    Rule("id", rf"{_START}(?:{_SSN}|{_NINO}|{_NIR}|{_DNI}|{_TAX_ID})\b", r"\1[ID]"),
    Rule("card", rf"{_START}(?:{_CARD})\b", r"\1[CARD]"),
    Rule(
        "ip",
        rf"\b(?:{_OCTET}\.){{3}}{_OCTET}\b|\b(?:{_HEX}:){{7}}{_HEX}\b"
        rf"|\b(?:{_HEX}:){{2,6}}(?::{_HEX}){{1,6}}\b|\b{_HEX}:(?::{_HEX}){{2,6}}\b",
        "[IP]",
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
        r"(?:\b00|\+)[1-9](?:[ .-]?\(?\d\)?){5,13}[ .-]?\d" + _EXTENSION + r"\b"
        r"|(?:\b1[ .-])?(?:\([2-9]\d\d\) ?|\b[2-9]\d\d[ .-]?)\d{3}[ .-]?\d{4}" + _EXTENSION + r"\b"
        r"|(?:\(0\d{2,4}\) ?|\b0\d{2,4}[ -]?)\d{3,4}[ -]?\d{3,4}" + _EXTENSION + r"\b",
        "[PHONE]",
    ),
)
KINDS = tuple(rule.kind for rule in _RULES)


class PII:
    r"""Replace personal data by placeholders: `ann@example.org` becomes `[EMAIL]`.

    | kind | placeholder | finds |
    |---|---|---|
    | `email` | `[EMAIL]` | e-mail addresses |
    | `iban` | `[IBAN]` | bank accounts of the 88 countries that have IBANs |
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
