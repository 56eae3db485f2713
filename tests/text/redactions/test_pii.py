"""Redaction: what TensorFlow's RE2 and Python's `re` replace is the same, everywhere."""

import json
import pathlib
import re

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkeras.text.redactions import count, replace
from ftkeras.text.redactions.pii import IBAN_COUNTRIES, KINDS, PII
from tests.exporters import small

ROWS = [
    json.loads(line)
    for line in (pathlib.Path(__file__).parents[2] / "dossiers" / "personal_data.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
PLACEHOLDERS = {
    "e-mail address": "[EMAIL]",
    "bank account (IBAN)": "[IBAN]",
    "card number": "[CARD]",
    "IP address": "[IP]",
    "postal address": "[ADDRESS]",
    "telephone number": "[PHONE]",
}
# Of 40: an address has no word for a street, and four cards have the form of a French NIR.
FOUND = {"postal address": 39, "card number": 36}
ONE_OF_EACH = {
    "email": "ann@example.org",
    "iban": "DE89 3704 0044 0532 0130 00",
    "id": "123-45-6789",
    "card": "4111 1111 1111 1111",
    "ip": "10.0.0.1",
    "address": "12 Old Mill Road",
    "phone": "+49 30 901820",
}
# Pieces from which hard texts are made: parts of matches, and what may stand beside them.
PIECES = [
    *(row["text"][slice(*row["span"])] for row in ROWS if row["span"]),
    *"+-.,()[]@:/_xA1 \n\tÄßé日\u212a\u017f\x0b",
    *("00", "1 ", "ext. 5", "[EMAIL]", "\\1", "e.V. 1", "::1", "fe80::1", "2001:db8::", "::ffff:"),
    *("o'brien@x.org", ".xn--p1ai", "+49 (0)30/901820", "1(415)555-2671", " BIC", "'"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)

# Letters and digits in IBANs of an earlier release of the registry of ISO 13616.
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL", "FO", "GL"), 18),
    **dict.fromkeys(("SI", "MK"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "CY", "DO", "GT", "HU", "LB", "PL"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
}


def by_tensorflow(text: str, redaction: PII) -> str:
    return replace(redaction, tf.constant(text)).numpy().decode()


def by_python(text: str, redaction: PII) -> str:
    for rule in redaction.rules:
        text = re.sub(rule.pattern, rule.rewrite, text, flags=re.ASCII)
    return text


ALL = PII()


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_python_and_tensorflow_agree_and_replacing_again_changes_nothing(text):
    found = by_tensorflow(text, ALL)
    assert found == by_python(text, ALL)
    assert by_tensorflow(found, ALL) == found


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_python_and_tensorflow_agree_on_any_text(text):
    assert by_tensorflow(text, ALL) == by_python(text, ALL)


def test_generated_sentences_are_redacted_whole():
    found = dict.fromkeys(row["kind"] for row in ROWS)
    for kind in found:
        rows = [row for row in ROWS if row["kind"] == kind]
        redacted = replace(ALL, tf.constant([row["text"] for row in rows])).numpy()
        hits = 0
        for row, after in zip(rows, redacted, strict=True):
            start, end = row["span"] or (0, 0)
            placeholder = PLACEHOLDERS.get(kind, "[ID]") if kind else ""
            wanted = row["text"][:start] + placeholder + row["text"][end:]
            hits += after.decode() == wanted
        found[kind] = hits
    look_alikes = found.pop(None)
    assert found == {kind: FOUND.get(kind, 40) for kind in found}
    assert look_alikes == 95  # five order numbers could be cards


@pytest.mark.parametrize(
    "text",
    [
        *("at 10:45:30", "0.4111111111111111", "a::b", "std::1", "x[::2]", "12::", "::"),
        *("2023::results were good", "20:30:2000::", "2355::1193::5::978300760", "2355::5::97"),
        *("include feed::Entry", "feed::Add", "2001::x"),
        *("Spring 2005 came", "3-4 days", "1,000 to 2,000"),
    ],
)
def test_look_alikes_stay(text):
    assert by_tensorflow(text, ALL) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("BE68 5390 0754 7034 BIC: GEBABEBB", "[IBAN] BIC: GEBABEBB"),
        ("AT61 1904 3002 3457 3201 BANK", "[IBAN] BANK"),
        ("SC18 SSCB 1101 0000 0000 0000 1497 USD.", "[IBAN]."),
        ("GB29NWBK60161331926819", "[IBAN]"),
        ("'o'brien@x.org'", "'[EMAIL]'"),
        ("at x@y.xn--p1ai.", "at [EMAIL]."),
        ("to +49 (0)30/901820.", "to [PHONE]."),
        ("1(415)555-2671", "[PHONE]"),
        ("::1, fe80::1%eth0, 2001:db8::/32", "[IP], [IP]%eth0, [IP]/32"),
        ("::ffff:1.2.3.4 or 2001:db8::5:1.2.3.4", "[IP] or [IP]"),
        ("fe80::/10 2a00::1 ff02::fb 2001::5:1.2.3.4", "[IP]/10 [IP] [IP] [IP]"),
        ("http://[::1]:80, http://[2001:DB8:1::a]/", "http://[[IP]]:80, http://[[IP]]/"),
    ],
)
def test_forms_are_replaced_whole_and_nothing_else(text, wanted):
    assert by_tensorflow(text, ALL) == by_python(text, ALL) == wanted
    assert by_tensorflow(wanted, ALL) == wanted


def test_ibans_have_the_lengths_that_the_search_knows():
    known = {country: n for n, row in IBAN_COUNTRIES.items() for country in row.split("|")}
    assert known.items() >= IBAN_LENGTHS.items()


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_chosen(kind):
    redaction = PII(kinds=(kind,))
    texts = [f"Here: {ONE_OF_EACH[kind]}, see?", "ann and bob"]
    assert by_tensorflow(texts[0], redaction) == f"Here: [{kind.upper()}], see?"
    assert count(redaction, tf.constant(texts)) == {kind: 1}


def test_counts_ignore_placeholders_that_were_there():
    texts = ["[EMAIL] a@b.org, c@d.org", "[EMAIL]", " or ".join(ONE_OF_EACH.values())]
    assert count(ALL, tf.constant(texts)) == {**dict.fromkeys(KINDS, 1), "email": 3}
    assert count(ALL, tf.constant([], tf.string)) == dict.fromkeys(KINDS, 0)


def test_invalid_bytes_are_replaced_as_python_decodes_them():
    raw = b"\xff a@b.org \xfe \xe2\x82 123-45-6789 \xf0\x9f\xff123-45-6789"
    found = replace(ALL, tf.constant(raw)).numpy().decode()
    assert found == by_python(raw.decode("utf-8", "replace"), ALL)
    assert found.count("[ID]") == 2


@pytest.mark.parametrize("kinds", [(), ("name",), ("email", "email"), "mail"])
def test_wrong_kinds_are_refused(kinds):
    with pytest.raises(ValueError, match="`kinds` must be some of email, iban"):
        PII(kinds=kinds)


def test_text_layer_reads_redacted_texts():
    plain, layer = small.text_layer(), small.text_layer()
    layer.redaction = ALL
    ids = layer(tf.constant(["Write to a@b.org now", "fine"]))["token_ids"]
    wanted = plain(tf.constant(["Write to [EMAIL] now", "fine"]))["token_ids"]
    assert ids.to_list() == wanted.to_list()
    assert layer.identity() != plain.identity()


def test_no_pattern_spans_two_options():
    for between in "\n\t":
        text = f"12 Old{between}Mill Road 030{between}123 4567 4111 1111{between}1111 1111"
        assert by_tensorflow(text, ALL) == text
