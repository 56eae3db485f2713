"""Personal data: precision and recall on 500 sentences, check digits, and masked examples."""

import collections
import itertools
import json
import pathlib
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings

from ftkeras.dossiers import detection, identifiers, personal_data
from ftkeras.dossiers.about import About
from ftkeras.errors import UserError
from ftkeras.text.redactions import pii
from tests.text.redactions.test_pii import TEXTS

ROWS = [
    json.loads(line)
    for line in pathlib.Path(__file__)
    .with_name("personal_data.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
# Of 40 sentences of a kind, how many must be found. Many of Faker's telephone numbers belong to no
# area.
FEWER = {"telephone number": 27}
LEAST = collections.defaultdict(lambda: 39, FEWER)


@pytest.fixture(scope="module")
def counts():
    """Return how many sentences of each kind were found, and how many places were wrong."""
    right, wrong = collections.Counter(), collections.Counter()
    for row in ROWS:
        found = detection.find(row["text"])
        start, end = row["span"] or (0, 0)
        hits = [one for one in found if one.kind == row["kind"] and one.start < end > start]
        hits = [one for one in hits if one.end > start]
        right[row["kind"]] += bool(hits)
        wrong.update(one.kind for one in found if one not in hits)
    return right, wrong


def test_sentences_are_of_ten_kinds():
    kinds = collections.Counter(row["kind"] for row in ROWS)
    assert len(ROWS) == 500
    assert kinds.pop(None) == 100
    assert set(kinds.values()) == {40}
    assert len(kinds) == 10
    assert set(kinds) < set(detection.KINDS)


@pytest.mark.parametrize("unbroken", ["a" * 200_000, "A-" * 100_000], ids=["letters", "hyphens"])
def test_long_text_without_spaces_is_searched_at_once(unbroken):
    # With a pattern that takes the square of the length, this would take minutes.
    (found,) = detection.find(f"{unbroken} ann@example.org")
    assert (found.kind, found.start) == ("e-mail address", len(unbroken) + 1)


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in ROWS if row["kind"]}))
def test_recall_of_each_kind(counts, kind):
    assert counts[0][kind] >= LEAST[kind]


def test_nothing_else_is_found(counts):
    assert not counts[1]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # wrong check digit
        "1234 5678 9012 3456",
        "DE88 3704 0044 0532 0130 00",
        "256.1.1.1",
        "version 1.2.3",
        "10:45:30",
        "a::b",
        "user@host",
        "666-12-3456",
        "86095742718",
        "12345678A",
        "GB123456A",
        "Spring 2005 came early",
        "the year 2020",
    ],
)
def test_look_alikes_are_not_found(text):
    assert detection.find(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("4111-1111-1111-1111", "card number"),
        ("86 095 742 719", "German tax id"),
        ("Hauptstraße 12a", "postal address"),
        ("12 Old Mill Road", "postal address"),
        ("2001:db8::ff00:42:8329", "IP address"),
        ("+49 30 901820", "telephone number"),
        ("X1234567L", "Spanish DNI or NIE"),
        ("müller@bücher.de", "e-mail address"),
        ("de89 3704 0044 0532 0130 00", "bank account (IBAN)"),
        ("DE89-3704-0044-0532-0130-00", "bank account (IBAN)"),
        ("Hauptstrasse 5", "postal address"),
        ("fe80::1", "IP address"),
    ],
)
def test_kinds_are_found_whole(text, kind):
    (found,) = detection.find(f"Here: {text}, see?")
    assert (found.kind, found.start, found.end) == (kind, 6, 6 + len(text))


@pytest.mark.parametrize(
    ("text", "ibans"),
    [
        ("DE89370400440532013000 GB82WEST12345698765432", ["DE89370", "GB82WES"]),
        ("Customer ID AB12 DE89 3704 0044 0532 0130 00", ["DE89 37"]),
        ("and NR12 DE89 3704 0044 0532 0130 00 OR MORE", ["DE89 37"]),
        ("DE893704004405320130005", []),
    ],
)
def test_ibans_are_found_behind_other_words(text, ibans):
    found = [one for one in detection.find(text) if one.kind == "bank account (IBAN)"]
    assert [text[one.start :][:7] for one in found] == ibans


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4111 1111 1111 1111 12/26", "4111 1111 1111 1111"),
        ("No 12 4111 1111 1111 1111 123", "4111 1111 1111 1111"),
        ("http://10.0.0.1:8080/", "10.0.0.1"),
        ("[fe80::1%eth0]", "fe80::1"),
    ],
)
def test_what_stands_beside_a_number_does_not_hide_it(text, found):
    assert [text[one.start : one.end] for one in detection.find(text)] == [found]


# The checks of what the redaction replaces, by its form; telephone numbers have another search.
CHECKS = {
    "email": {".*": bool},
    "iban": {".*": identifiers.iban},
    "id": {
        pii.TAX_ID: identifiers.is_german_tax_id,
        pii.NIR: identifiers.is_french_nir,
        pii.DNI: identifiers.is_spanish_dni,
        pii.SSN: bool,
        pii.NINO: identifiers.is_uk_nino,
    },
    "card": {".*": identifiers.is_card},
    "ip": {".*": bool},
    "address": {".*": bool},
}


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_what_the_redaction_replaces_is_found(text):
    found = detection.find(text)
    for kind, checks in CHECKS.items():
        for match in re.finditer(pii.PATTERNS[kind], text, re.ASCII):
            start = match.end(1) if match.re.groups and match[1] is not None else match.start()
            place = text[start : match.end()]
            if any(re.fullmatch(form, place) and valid(place) for form, valid in checks.items()):
                assert any(one.start < match.end() and start < one.end for one in found), place


def test_places_do_not_overlap():
    text = "DE89 3704 0044 0532 0130 00 and ann@10.0.0.1.example.org"
    found = detection.find(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


def test_masked_examples_show_two_characters():
    assert identifiers.mask("ann@example.org") == "an•@•••••••.•••"
    assert identifiers.mask("4111-1111") == "41••-••••"


def test_counts_are_by_split_and_text(monkeypatch):
    counts = {kind: personal_data.Count() for kind in detection.KINDS}
    texts = ["a@b.org and c@d.org", "nothing", "e@f.org", "g@h.org"]
    personal_data._count(counts, "train", personal_data._matches(texts))
    personal_data._count(counts, "test", personal_data._matches(texts[:1]))
    mails = counts["e-mail address"]
    assert (mails.places, mails.texts) == ({"train": 4, "test": 2}, 4)
    assert mails.examples == ["a@b.•••", "c@d.•••", "e@f.•••"]


def test_without_phonenumbers_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(UserError, match=r"pip install 'ftkeras\[dossier\]'"):
        detection.find("Call 020 7946 0018")


@pytest.fixture
def spacy(monkeypatch):
    """Replace spaCy by a stand-in with one model, which marks Ann as a person."""

    def pipe(texts):
        for text in texts:
            at = text.find("Ann")
            places = [(at, "PERSON")] * (at >= 0) + [(0, "GPE")]
            yield SimpleNamespace(
                text=text,
                ents=[
                    SimpleNamespace(label_=label, start_char=start, end_char=start + 3)
                    for start, label in places
                ],
            )

    model = SimpleNamespace(max_length=20, pipe=pipe)
    util = SimpleNamespace(get_installed_models=lambda: ["xx_people", "en_people"])
    loaded = {"en_people": model}
    monkeypatch.setitem(sys.modules, "spacy", SimpleNamespace(load=loaded.get, util=util))
    monkeypatch.setitem(sys.modules, "spacy.util", util)
    return util


def _subject(texts: list[str]) -> Any:
    return SimpleNamespace(
        examples={"train": texts},
        unlabelled=None,
        raw_texts=lambda chosen: [{"text": text} for text in chosen],
    )


def test_names_are_those_that_an_installed_model_finds(spacy):
    texts = ["Dear Ann", "nothing", "cut where the limit is: Ann", "é Ann"]
    found = personal_data._people(_subject(texts))
    assert found["model"] == "en_people"
    assert found["searched"] == {"train": 4}
    assert (found["places"], found["texts"]) == ({"train": 2}, 2)
    assert found["examples"] == ["An•", "An•"]
    table = personal_data._names(found)[0]
    assert table.rows == [["name of a person", 2, 2, "An•; An•"]]
    assert "The spaCy model en_people looked for names in 4 of train." in table.note


@pytest.mark.parametrize("installed", ["spaCy alone", "nothing"])
def test_without_a_model_it_is_said_that_names_were_not_looked_for(installed, spacy, monkeypatch):
    spacy.get_installed_models = lambda: []
    if installed == "nothing":
        monkeypatch.setitem(sys.modules, "spacy.util", None)
    found = personal_data._people(_subject(["Dear Ann"]))
    assert found is None
    assert "no model of spaCy is installed" in personal_data._names(found)[0].reason


def _run(folder, vocabulary=("the",), read=(), **given) -> Any:
    tokenizer = SimpleNamespace(vocabulary=vocabulary)
    about = {
        "examples": {},
        "unlabelled": None,
        "unlabelled_reason": "",
        "raw_texts": lambda chosen: [{"text": text} for text in chosen],
        "folder": folder,
        "experiment": SimpleNamespace(text_layer=SimpleNamespace(tokenizer=tokenizer)),
        "view": SimpleNamespace(metrics={"read": dict(read)}),
        "config": SimpleNamespace(redact="pii"),
        "about": About({}),
    }
    return SimpleNamespace(**{**about, **given})


def test_texts_without_labels_are_searched(tmp_path):
    found = personal_data.part(_run(tmp_path, unlabelled=["Write to ann@example.org.", "no"]))
    assert found.data["searched"]["unlabelled"] == 2
    assert found.data["kinds"]["e-mail address"]["places"] == {"unlabelled": 1}


def test_texts_without_labels_that_cannot_be_searched_are_no_good_news(tmp_path):
    found = personal_data.part(_run(tmp_path, unlabelled_reason="there is no file 'more.txt'"))
    assert "texts without labels" in found.data["not_searched"]
    assert found.shown[0].level != "good"
    assert found.shown[1].reason == "there is no file 'more.txt'."
    assert personal_data.part(_run(tmp_path)).shown[0].level == "good"


def test_texts_beyond_the_most_that_are_searched_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(personal_data, "spread", lambda texts, most: texts[:most])
    monkeypatch.setattr(personal_data, "MOST", 2)
    found = personal_data.part(_run(tmp_path, examples={"train": ["a"] * 5, "test": ["b"]}))
    assert found.data["left_out"] == {"train": 3}
    assert "that were searched; 3 of train were not." in found.shown[0].text


def test_vocabulary_is_searched_and_what_was_redacted_is_said(tmp_path):
    vocabulary = ("the", "ann@example.org", "##2")
    subject = _run(tmp_path, vocabulary, {"train": {"redacted": {"email": 2, "ip": 0}}})
    found = personal_data.part(subject)
    assert found.data["kinds"]["e-mail address"]["places"] == {"vocabulary": 1}
    assert found.data["redacted"] == {"train": {"email": 2, "ip": 0}}
    texts = [one.text for one in found.shown if hasattr(one, "text")]
    assert "--redact=pii redacted 2 email in train, before the search." in texts[1]
