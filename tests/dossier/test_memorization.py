"""A model that knows its training texts by heart is found out; one that has learned is not."""

import json
import random

import pytest

from tests import finished
from tests.running import succeed

# The verb's own tests run the same on a model that has learned.
pytestmark = pytest.mark.matrix
WORDS = ("red", "green", "old", "new", "big", "small", "fast", "slow", "warm", "cold", "dry", "wet")


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """Return the dossier of a run that can only learn its labels by heart: they are random."""
    home = tmp_path_factory.mktemp("leaky")
    rng = random.Random(0)
    rows = [f"{' '.join(rng.choices(WORDS, k=8))},{rng.choice(['no', 'yes'])}" for _ in range(360)]
    for name, part in (("train", rows[:200]), ("test", rows[200:])):
        (home / f"{name}.csv").write_text("\n".join(["text,label", *part]) + "\n")
    succeed(
        *("train", "train.csv", "--test_data=test.csv", f"--encoder={finished.ENCODER}"),
        *("--epochs=30", "--batch_size=32", "--learning_rate=2e-3", "--max_length=64"),
        *("--train_on_validation", "--export=none", "--noreport", "--run_dir=run"),
        cwd=home,
    )
    succeed("dossier", "--run_dir=run", cwd=home)
    return home / "run" / "dossier"


def test_model_that_knows_its_texts_by_heart_is_found_out(leaky):
    found = json.loads((leaky / "memorization.json").read_text())["membership"]
    assert (found["members"], found["others"]) == (200, 160)
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
        assert (by_name[name]["value"], by_name[name]["low"]) == (0, 0)
        assert by_name[name]["score"] == found["unchanged"]
    assert by_name["typos"]["low"] < by_name["typos"]["high"]
    assert found["empty_text"]["predicted"] in ("no", "yes")


def test_unchanged_score_is_that_of_the_run(leaky):
    found = json.loads((leaky / "robustness.json").read_text())
    recorded = json.loads((leaky.parent / "metrics.json").read_text())["test"]
    assert found["unchanged"] == pytest.approx(recorded["accuracy"])
