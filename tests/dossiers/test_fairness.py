"""Groups of people: who is treated worse, by how much, and what is too few to say."""

import sys

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference

from ftkeras.dossiers import fairness
from ftkeras.dossiers.about import About
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from tests.pages import finished_runs


def subject(tmp_path, values, groups=("dialect",)) -> Subject:
    texts = finished_runs.TextsInMemory(["a text"] * len(values), columns={"dialect": values})
    view = finished_runs.classes(tmp_path, ["no", "yes"], examples=len(values), texts=texts)
    return Subject(view, About(), output=view.folder, groups=groups)


def unfair(tmp_path) -> Subject:
    """Return a run whose answers to one group are mostly wrong."""
    values = ["north"] * 100 + ["south"] * 60 + ["isle"] * 4
    found = subject(tmp_path, values)
    for row in found.view.rows[100:160]:
        row |= {"predicted": "yes", "probabilities": [0.1, 0.9]}
    return found


def test_group_that_is_treated_worse_is_named(tmp_path):
    part = fairness.part(unfair(tmp_path))
    found = part.data["groups"]["dialect"]
    assert (found["gap"]["best"], found["gap"]["worst"]) == ("north", "south")
    assert found["gap"]["low"] > 0
    assert part.data["compared"] == ["dialect"]
    assert part.shown[0].level == "warning"
    assert "Too small to conclude anything: isle (4)" in part.shown[0].text


def test_measures_are_fairlearns(tmp_path):
    made = unfair(tmp_path)
    rows = made.view.rows[:160]
    truth, answers = (np.array([row[k] == "yes" for row in rows]) for k in ("label", "predicted"))
    sensitive = ["north"] * 100 + ["south"] * 60
    no, yes = fairness.part(made).data["groups"]["dialect"]["measures"]
    arguments = {"y_true": truth, "y_pred": answers, "sensitive_features": sensitive}
    assert yes["demographic_parity"] == pytest.approx(demographic_parity_difference(**arguments))
    assert yes["equalized_odds"] == pytest.approx(equalized_odds_difference(**arguments))
    assert no["demographic_parity"] == pytest.approx(yes["demographic_parity"])


def test_perfect_model_treats_groups_alike_whatever_answers_they_have(tmp_path):
    values = ["a"] * 40 + ["b"] * 40 + ["c"] * 40
    made = subject(tmp_path, values)
    for number, row in enumerate(made.view.rows):
        row["label"] = row["predicted"] = (
            "yes" if number % 4 == 0 and values[number] != "b" else "no"
        )
    for one in fairness.part(made).data["groups"]["dialect"]["measures"]:
        assert (one["equalized_odds"], one["left_out"]) == (0, ["b"])


def test_odds_that_only_one_group_has_are_unknown(tmp_path):
    made = subject(tmp_path, ["a"] * 40 + ["b"] * 40)
    for number, row in enumerate(made.view.rows):
        row["label"] = row["predicted"] = "yes" if number < 10 else "no"
    part = fairness.part(made)
    for one in part.data["groups"]["dialect"]["measures"]:
        assert one["equalized_odds"] is None
        assert "fewer than two groups" in one["reason"]


def test_nothing_is_concluded_from_a_few_texts(tmp_path):
    part = fairness.part(subject(tmp_path, ["a"] * 40 + ["b"] * 3))
    assert part.data["groups"]["dialect"]["gap"] is None
    assert part.data["compared"] == []
    assert part.data["groups"]["dialect"]["measures"] == []
    assert "fewer than two groups" in part.shown[0].text


def test_empty_values_are_a_group(tmp_path):
    found = fairness.part(subject(tmp_path, ["a"] * 40 + [""] * 40)).data["groups"]["dialect"]
    assert {one["name"] for one in found["groups"]} == {"a", "(empty)"}


def test_without_a_column_it_says_how_to_name_one(tmp_path):
    with pytest.raises(UserError, match="name one with --groups=column"):
        fairness.part(subject(tmp_path, ["a"] * 40, groups=()))


def test_without_fairlearn_the_measures_are_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fairlearn", None)
    part = fairness.part(unfair(tmp_path))
    assert part.data["groups"]["dialect"]["measures"] == []
    assert "pip install 'ftkeras[dossier]'" in part.shown[-1].reason
