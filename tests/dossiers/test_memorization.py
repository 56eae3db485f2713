"""Memorization: training texts that a model has learned by heart are recognized, others are not."""

import json
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ftkeras.dossiers import memorization, shadow_runs
from tests import finished
from tests.running import succeed

# The verb's own tests run the same on a model that has learned.
pytestmark = pytest.mark.matrix
WORDS = ("red", "green", "old", "new", "big", "small", "fast", "slow", "warm", "cold", "dry", "wet")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with texts whose labels can only be learned by heart: they are random."""
    home = tmp_path_factory.mktemp("random")
    rng = random.Random(0)
    rows = [f"{' '.join(rng.choices(WORDS, k=8))},{rng.choice(['no', 'yes'])}" for _ in range(360)]
    for name, part in (("train", rows[:200]), ("test", rows[200:])):
        (home / f"{name}.csv").write_text("\n".join(["text,label", *part]) + "\n")
    return home


def _dossier(home, run, *settings):
    """Return the dossier of a run, with an attack by shadow models."""
    succeed(
        *("train", "train.csv", "--test_data=test.csv", f"--encoder={finished.ENCODER}"),
        *("--batch_size=32", "--learning_rate=2e-3", "--max_length=64", "--train_on_validation"),
        *("--export=none", "--noreport", "--canaries=20", f"--run_dir={run}", *settings),
        cwd=home,
    )
    succeed("dossier", f"--run_dir={run}", "--shadow_runs=4", cwd=home)
    return home / run / "dossier"


@pytest.fixture(scope="module")
def leaky(home):
    return _dossier(home, "leaky", "--epochs=30")


@pytest.fixture(scope="module")
def private(home):
    spec = "dp_sgd(epsilon=3, delta=1e-3)"
    return _dossier(home, "private", f"--private={spec}", "--epochs=10")


@pytest.mark.parametrize("unlabelled", [(), ("more.txt",)])
def test_it_is_said_that_texts_without_labels_are_not_attacked(unlabelled, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(shadow_runs, "losses", lambda trained, examples: rng.random(len(examples)))
    run: Any = SimpleNamespace(
        examples={"train": range(40), "test": range(40)},
        trained=None,
        shadow_runs=0,
        config=SimpleNamespace(unlabelled=unlabelled, canaries=0),
    )
    texts = [getattr(one, "text", "") for one in memorization.part(run).shown]
    assert any("--unlabelled" in text for text in texts) == bool(unlabelled)


def _memory(dossier):
    return json.loads((dossier / "memorization.json").read_text())


def test_shadow_models_tell_more_than_losses_alone(leaky):
    found = _memory(leaky)
    ratios = found["likelihood_ratios"]
    assert (ratios["members"], ratios["others"], ratios["shadow_runs"]) == (160, 160, 4)
    assert ratios["auc_interval"][0] > 0.6
    assert ratios["auc"] > 0.7


def test_planted_texts_that_a_model_knows_are_found(leaky):
    found = _memory(leaky)["canaries"]
    assert (found["planted"], found["candidates"]) == (20, 1000)
    assert found["auc_interval"][0] > 0.5
    assert found["mean"] > found["without"] + 1
    page = (leaky / "index.html").read_text(encoding="utf-8")
    assert "The model knows planted texts: the 20 of them" in page


def test_private_model_gives_nothing_away(private):
    found = _memory(private)
    # About four standard errors above one half; the noise differs from run to run.
    for attack, most in (("membership", 0.63), ("likelihood_ratios", 0.64), ("canaries", 0.77)):
        assert found[attack]["auc"] < most, attack
    assert found["canaries"]["mean"] < found["canaries"]["without"] + 1.5
    guarantee = json.loads((private / "privacy.json").read_text())["guarantee"]
    assert guarantee["examples"] == 220
    assert 2.9 < guarantee["epsilon"] <= 3
    page = (private / "index.html").read_text(encoding="utf-8")
    assert "differentially private with respect to each training example" in page


def test_model_that_knows_its_texts_by_heart_is_found_out(leaky):
    found = json.loads((leaky / "memorization.json").read_text())["membership"]
    assert (found["members"], found["others"]) == (220, 160)
    assert found["auc"] > 0.7
    assert found["auc_interval"][0] > 0.65
    (rate,) = found["true_positive_rates"]  # 160 texts are too few for 0.1 %
    assert rate["false_positives"] == 0.01
    assert 3 * found["mean_loss"]["train"] < found["mean_loss"]["test"]
    page = (leaky / "index.html").read_text(encoding="utf-8")
    assert "give away texts that it was trained on" in page
    assert "it needs 1,000 texts that were not trained on; there are 160" in page


def test_robustness_is_measured_on_changed_texts(leaky):
    found = json.loads((leaky / "robustness.json").read_text())
    by_name = {one["change"]: one for one in found["changes"]}
    # The tokenizer is uncased, and the texts have no punctuation.
    for name in ("lower_case", "upper_case", "no_punctuation"):
        assert (by_name[name]["value"], by_name[name]["low"]) == (0, None)
        assert by_name[name]["score"] == found["unchanged"]
        assert by_name[name]["same_tokens"]
    page = (leaky / "index.html").read_text(encoding="utf-8")
    assert "With lower case, upper case, no punctuation, the model reads the same tokens." in page
    assert not by_name["typos"]["same_tokens"]
    assert by_name["typos"]["low"] < by_name["typos"]["high"]
    assert found["empty_text"]["predicted"] in ("no", "yes")


def test_unchanged_score_is_that_of_the_run(leaky):
    found = json.loads((leaky / "robustness.json").read_text())
    recorded = json.loads((leaky.parent / "metrics.json").read_text())["test"]
    assert found["unchanged"] == pytest.approx(recorded["accuracy"])
