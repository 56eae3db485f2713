"""Lists of clauses, and how a dossier answers them."""

import re

import pytest

from ftkeras.dossiers import checklist, clauses, writing
from ftkeras.dossiers.about import About
from ftkeras.dossiers.part import Part
from ftkeras.errors import UserError

LISTS = ("eu_ai_act_annex_iv", "hugging_face_card", "iso_iec_42001", "nist_ai_rmf")


def one(*needs: str) -> clauses.Clause:
    return clauses.Clause("1", "a clause", tuple(tuple(need.split(" or ")) for need in needs))


def answered(clause, data=None, statements=None) -> clauses.Answer:
    return clauses.answer(
        clause, {"data": Part("data", "", data or {}, [])}, About(statements or {})
    )


def test_lists_of_the_package():
    assert clauses.names() == list(LISTS)


@pytest.mark.parametrize("name", LISTS)
def test_paths_of_the_lists_of_the_package_are_known(name):
    found = clauses.read(name, writing.NAMES)
    assert found.source.startswith(("Regulation", "NIST", "ISO", "https://"))


def test_annex_iv_has_its_nine_points():
    found = clauses.read("eu_ai_act_annex_iv", writing.NAMES)
    assert {clause.id[0] for clause in found.clauses} == set("123456789")
    letters = {"1": "abcdefgh", "2": "abcdefgh"}
    for point, expected in letters.items():
        own = [clause.id[2] for clause in found.clauses if clause.id.startswith(f"{point}(")]
        assert "".join(own) == expected


def test_measure_2_has_its_thirteen_subcategories():
    found = clauses.read("nist_ai_rmf", writing.NAMES)
    assert [clause.id for clause in found.clauses] == [f"MEASURE 2.{n}" for n in range(1, 14)]


def test_clause_is_shown_by_files_only():
    found = answered(one("data.files", "data.splits.train"), {"files": [1], "splits": {"train": 3}})
    assert (found.status, found.by) == ("shown", ("data.json: files", "data.json: splits.train"))


def _statuses(name: str, parts: dict, statements: dict) -> dict[str, str]:
    built = {part: Part(part, "", data, []) for part, data in parts.items()}
    found = clauses.read(name, writing.NAMES).clauses
    return {c.id: clauses.answer(c, built, About(statements)).status for c in found}


def test_what_files_repeat_of_about_is_stated_and_not_shown():
    statements = {
        "data.languages": ["en"],
        "data.source": "a survey",
        "encoder.license": "MIT",
        "environment.watts": 50.0,
    }
    parts = {
        "data": {"files": [1], "source": {"languages": ["en"], "source": "a survey"}},
        "licenses": {"encoder": "MIT"},
        "reproducibility": {"energy": {"kwh": 1}},
    }
    card = _statuses("hugging_face_card", parts, statements)
    assert (card["language"], card["license"]) == ("stated", "stated")
    assert _statuses("iso_iec_42001", parts, statements)["A.7.5"] == "stated"
    assert _statuses("nist_ai_rmf", parts, statements)["MEASURE 2.12"] == "stated"


def test_source_of_the_data_is_no_task():
    parts = {"data": {"files": [1], "source": {"task": "classification(train='a.csv')"}}}
    found = _statuses("iso_iec_42001", parts, {})
    assert (found["A.4.3"], found["A.7.5"]) == ("missing", "missing")


def test_fairness_is_shown_only_if_something_was_compared():
    nothing = {
        "fairness": {"groups": {"age": {"gap": None}}, "compared": []},
        "counterfactuals": {"dimensions": [{"name": "gender", "texts": 3}], "compared": []},
    }
    assert _statuses("nist_ai_rmf", nothing, {})["MEASURE 2.11"] == "missing"
    compared = {**nothing, "counterfactuals": {"compared": ["gender"]}}
    assert _statuses("nist_ai_rmf", compared, {})["MEASURE 2.11"] == "shown"


def test_clause_is_stated_if_a_person_answers_a_part_of_it():
    clause = one("data.files", "about.data.source")
    found = answered(clause, {"files": [1]}, {"data.source": "a survey"})
    assert (found.status, found.by[1]) == ("stated", "about.yaml: data.source")


def test_clause_is_missing_if_any_of_its_needs_is():
    found = answered(one("data.files", "about.data.source"), {"files": [1]})
    assert (found.status, found.lacks) == ("missing", ("about.data.source",))


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_empty_value_answers_nothing(empty):
    assert answered(one("data.files"), {"files": empty}).status == "missing"


@pytest.mark.parametrize("value", [0, False, 0.0])
def test_zero_is_a_value(value):
    assert answered(one("data.overlap"), {"overlap": value}).status == "shown"


def test_first_of_alternatives_counts():
    clause = one("data.source or about.data.source")
    both = {"source": "x"}, {"data.source": "y"}
    assert answered(clause, *both).status == "shown"
    assert answered(clause, {}, both[1]).status == "stated"


def test_shortfall_names_the_first_ones():
    found = clauses.Clauses("mine", "Mine", "me", tuple([one("data.files")] * 5))
    answers = [answered(clause) for clause in found.clauses]
    text = checklist.shortfall([(found, answers)], ["mine"])
    assert text.startswith("5 required clauses are missing: mine 1 (data.files); ")
    assert text.endswith("; and 2 more")
    assert checklist.shortfall([(found, answers)], []) == ""


def test_checklist_says_that_it_is_no_legal_advice():
    part = checklist.part([], [])
    assert "not legal advice" in part.shown[0].text
    assert "not legal advice" in part.data["disclaimer"]


GOOD = "title: T\nsource: S\nclauses:\n- {id: a, asks: b, needs: [data.files]}\n"


def test_own_list(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    found = clauses.read(str(path), ["data"])
    assert (found.name, found.clauses[0].needs) == ("mine", (("data.files",),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("source: S\n", ""), "needs the keys title, source, clauses"),
        (GOOD.replace("asks", "ask"), "a clause: needs the keys id, asks, needs"),
        (GOOD.replace("[data.files]", "data.files"), "clause a: `needs` must be a list of paths"),
        (GOOD.replace("data.files", "dat.files"), "did you mean data?"),
        (GOOD.replace("data.files", "about.data.sorce"), "did you mean data.source?"),
        (GOOD.replace("id: a", "id: [a]"), "a clause: `id` must be a string. Received: ['a']"),
        (GOOD.replace("asks: b", "asks: {b: c}"), "a clause: `asks` must be a string"),
        (GOOD + "- {id: a, asks: c, needs: [data.x]}\n", "the clause 'a' occurs twice"),
        ("title: T\nsource: S\nclauses: []\n", "`clauses` must be a list"),
    ],
)
def test_mistakes_in_an_own_list_are_refused(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        clauses.read(str(path), ["data"])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "other"),
    [("nist_ai_rmf", "the list nist_ai_rmf"), ("required", "a key of checklist.json")],
)
def test_own_list_with_the_name_of_another_is_refused(tmp_path, name, other):
    path = tmp_path / f"{name}.yaml"
    path.write_text(GOOD)
    message = f"require={path}: {name} is also the name of {other}; rename the file."
    with pytest.raises(UserError, match=re.escape(message)):
        writing.read_clauses([str(path)])


def test_unknown_list_is_refused():
    with pytest.raises(UserError, match="did you mean nist_ai_rmf"):
        clauses.read("nist_ai_rm", ["data"])
