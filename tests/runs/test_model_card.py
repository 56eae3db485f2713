"""The page that goes with an export."""

import re

import pytest

from ftkeras.runs import model_card


@pytest.fixture(scope="module")
def card(finished_run):
    return (finished_run / "saved_models" / "quickstart" / "1" / "model_card.md").read_text()


def test_card_says_what_there_is_to_know(card):
    heads = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert heads == [
        *("What it does", "Data", "Encoder", "Metrics", "Limits", "Settings", "Versions")
    ]
    assert "`negative`, `positive`" in card
    assert "train: 8000 examples" in card
    assert "--train_examples=8000" in card
    assert "licence: started from random weights" in card


def test_figures_are_the_runs_with_intervals(card, finished_run):
    from ftkeras.runs import metrics

    test = metrics.read_metrics(finished_run / "run")["test"]
    low, high = model_card.wilson(test["accuracy"], 60)
    assert f"| test | 60 | {test['accuracy']:.4f} ({low:.4f} to {high:.4f}) |" in card


@pytest.mark.parametrize(
    ("right", "examples", "bounds"),
    # Newcombe, 1998, https://pubmed.ncbi.nlm.nih.gov/9595616/, table I, method 3.
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_interval_equals_the_published_one(right, examples, bounds):
    found = model_card.wilson(right / examples, examples)
    assert found == pytest.approx(bounds, abs=6e-5)


def test_interval_of_all_right_ends_at_one():
    low, high = model_card.wilson(1.0, 50)
    assert (high, low) == pytest.approx((1.0, 1 / (1 + 1.959964**2 / 50)))


def test_licence_of_a_checkpoint_is_what_its_card_states(tmp_path):
    (tmp_path / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# A model\n")
    assert model_card._license(str(tmp_path)) == "mit, as its model card states"
    assert "Apache-2.0" in model_card._license("bert-base-uncased")
    assert "not known" in model_card._license("somebody/some-bert")
