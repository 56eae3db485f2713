"""Exchanged words: what is replaced by what, and measures that fairlearn computes too."""

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference

from ftkeras.dossiers import counterfactuals, substitutions
from ftkeras.dossiers.counterfactuals import Exchange
from ftkeras.statistics.significance import wilson

ALL = substitutions.dimensions() | substitutions.dimensions("synonyms.yaml")


@pytest.mark.parametrize(
    ("dimension", "number", "text", "wanted"),
    [
        ("gender", 0, "He took his hat, and she saw him.", "She took her hat, and she saw her."),
        ("gender", 1, "The plan was hers; I told her.", "The plan was his; I told him."),
        ("gender", 1, "I gave her a book of her mother.", "I gave him a book of his father."),
        ("gender", 0, "MR Smith and James: HIS WIFE", "MRS Smith and Emily: HER WIFE"),
        ("gender", 1, "the theme, other, shepherd", "the theme, other, shepherd"),
        ("name", 5, "Emily met Hans and DESHAWN.", "Lakisha met Jamal and DESHAWN."),
        ("name", 6, "DESHAWN and emily", "DIETER and emily"),
        ("dialect", 1, "My favorite Movie", "My favourite Film"),
        ("dialect", 0, "Colours in grey", "Colors in gray"),
        ("register", 1, "It isn't; I am going to go", "It ain't; I am gonna go"),
        ("register", 1, "It isn’t; I don’t know", "It ain’t; I dunno"),
        ("register", 0, "It isn’t", "It isn’t"),
        ("Scottish English", 1, "I’d say it can’t", "I’d say it cannae"),
        ("African American English", 1, "I'm going to ask.", "I'ma aks."),
        (
            "African American English",
            0,
            "He always be late. FINNA go",
            "He is always late. ABOUT TO go",
        ),
        ("Scottish English", 1, "Yes, a small child can't.", "Aye, a wee bairn cannae."),
        ("Scottish English", 0, "The wee kirk", "The small church"),
        (
            "Southern American English",
            1,
            "I think they might be able to",
            "I reckon they might could",
        ),
        ("Indian English", 1, "Okra for a hundred thousand", "Lady's finger for a lakh"),
        ("register", 0, "It ain't. Gonna go", "It is not. Going to go"),
    ],
)
def test_words_become_those_of_a_version(dimension, number, text, wanted):
    assert ALL[dimension].version(text, number) == wanted


@pytest.mark.parametrize("name", ALL)
def test_rows_have_a_word_for_each_version(name):
    dimension = ALL[name]
    assert all(len(row) == len(dimension.versions) for row in dimension.rows)
    for row in dimension.rows:
        for word in row:
            made = [dimension.version(f"a {word}.", n) for n in range(len(row))]
            assert len(set(made)) == len(row)


@pytest.mark.parametrize("name", ALL)
def test_versions_are_stable(name):
    dimension = ALL[name]
    text = "He and Emily want to see her favorite movie, which isn't his."
    for number in range(len(dimension.versions)):
        made = dimension.version(text, number)
        assert dimension.version(made, number) == made


def test_each_variety_says_what_describes_its_words():
    varieties = [one for name, one in ALL.items() if name.endswith("English")]
    assert len(varieties) == 4
    for one in varieties:
        assert one.versions == ("standard", one.name)
        assert one.source.endswith(".") or one.source.endswith(")")
        assert len(one.rows) >= 8


def _answers(rng, size: int, positive: float) -> list[dict]:
    second = np.clip(rng.normal(positive, 0.2, size), 0.01, 0.99)
    return [{"predicted": ("no", "yes")[int(p > 0.5)], "probabilities": [1 - p, p]} for p in second]


def test_measures_are_fairlearns_and_the_direction_is_named():
    rng = np.random.default_rng(0)
    versions = [_answers(rng, 150, 0.6), _answers(rng, 150, 0.4)]
    found = counterfactuals.compare(Exchange.of(ALL["gender"]), versions, ("no", "yes"))
    predicted = np.array([row["predicted"] for rows in versions for row in rows])
    sensitive = np.repeat(["female", "male"], 150)
    for name in ("no", "yes"):
        wanted = demographic_parity_difference(
            y_true=predicted == name, y_pred=predicted == name, sensitive_features=sensitive
        )
        assert found["demographic_parity"][name]["difference"] == pytest.approx(wanted)
    changed = (predicted[:150] != predicted[150:]).sum()
    assert (found["changed"], found["texts"]) == (changed, 150)
    assert (found["low"], found["high"]) == wilson(changed / 150, 150)
    (moved,) = found["moved"]
    assert (moved["output"], moved["versions"]) == ("yes", ["female", "male"])
    assert moved["value"] == pytest.approx(-0.2, abs=0.06)
    assert moved["high"] < 0


def test_intervals_hold_together_for_all_pairs():
    rng = np.random.default_rng(1)
    versions = [_answers(rng, 60, 0.5) for _ in ALL["name"].versions]
    found = counterfactuals.compare(Exchange.of(ALL["name"]), versions, ("no", "yes"))
    assert len(found["moved"]) == 21
    assert not [line for line in found["moved"] if line["low"] > 0 or line["high"] < 0]


@pytest.mark.parametrize(("moves", "level"), [(0.1, "warning"), (0.001, "info")])
def test_page_says_how_far_answers_move_and_warns_of_large_moves(moves, level):
    rng = np.random.default_rng(0)
    first = [{"predicted": "no", "probabilities": [0.6, 0.4]} for _ in range(50)]
    second = 0.4 + moves + rng.normal(0, moves / 100, 50)
    other = [{"predicted": "no", "probabilities": [1 - p, p]} for p in second]
    exchange = Exchange.of(ALL["Scottish English"])
    verdict = counterfactuals.shown(
        [counterfactuals.compare(exchange, [first, other], ("no", "yes"))]
    )[0]
    assert verdict.level == level
    assert (
        verdict.text == f"Answers move in one direction with Scottish English, by {moves} at most."
    )


def test_numbers_move_but_no_answer_changes():
    versions = [[{"values": [n + k]} for n in range(30)] for k in (0.0, 0.5)]
    versions[1][0]["values"] = [0.6]
    found = counterfactuals.compare(Exchange.of(ALL["dialect"]), versions, ("stars",))
    assert "share" not in found
    assert found["moved"][0]["value"] == pytest.approx(0.503, abs=0.001)
