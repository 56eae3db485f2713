"""The model card of a run, and its metadata for the Hugging Face Hub."""

import pathlib
import re

import pytest
from huggingface_hub import ModelCard as HubCard

from ftkeras.config.run import Config
from ftkeras.problems.classification import Classification
from ftkeras.runs import license, metrics
from ftkeras.runs.model_card import ModelCard
from ftkeras.statistics.significance import wilson


@pytest.fixture(scope="module")
def finished_card(finished_run) -> str:
    return (finished_run / "saved_models" / "quickstart" / "1" / "model_card.md").read_text()


def test_card_describes_the_run(finished_card):
    heads = re.findall(r"^## (.*)$", finished_card, re.MULTILINE)
    assert heads == [
        *("What it does", "Data", "Encoder", "Metrics", "Limits", "Settings", "Versions")
    ]
    assert "`negative`, `positive`" in finished_card
    assert "train: 200 examples" in finished_card
    assert "--train_examples=200" in finished_card
    assert "license: not known; see where the checkpoint comes from" in finished_card


def test_random_weights_have_no_license(tmp_path):
    text = _card(tmp_path, checkpoint=None).text()
    assert "license: none, as training started from random weights" in text


def test_metrics_are_the_runs_with_intervals(finished_card, finished_run):
    test = metrics.read_metrics(finished_run / "run")["test"]
    low, high = wilson(test["accuracy"], 60)
    assert f"| test | 60 | {test['accuracy']:.4f} ({low:.4f} to {high:.4f}) |" in finished_card


def _card(run_dir: pathlib.Path, **given) -> ModelCard:
    about = {
        "config": Config(task="imdb"),
        "run_dir": run_dir,
        "about": "Is it good?",
        "problem": Classification(labels=("negative", "positive")),
        "pairs": False,
        "homepage": None,
        "citation": None,
        "data_license": None,
        "language": "en",
        "dataset": "stanfordnlp/imdb",
        "checkpoint": "bert-base-uncased",
        "layers": 12,
        "hidden": 768,
        "heads": 12,
        "parameters": 109_000_000,
    }
    return ModelCard(**{**about, **given})


def test_pseudo_labels_of_self_training_are_counted_by_label(tmp_path):
    labels = {"negative": 103, "positive": 97}
    metrics.write_metrics(tmp_path, {"data": {"train": 1000, "pseudo_labels": labels}})
    text = _card(tmp_path).text()
    assert "- train: 1,000 examples\n" in text
    assert "- pseudo labels: 200 examples (103 negative, 97 positive)\n" in text


def _measured(**values: float) -> dict:
    about = {"examples": 10, "accuracy": 0.9, "f1": 0.8, "precision": 0.7, "recall": 0.6}
    return {**about, "auc": None, "loss": 0.3, **values}


def _hub_card(card: ModelCard) -> HubCard:
    """Parse a card as the Hub does; malformed metadata raises an error."""
    return HubCard(card.hub_header() + card.text(), ignore_metadata_errors=False)


def test_hub_reads_all_metadata(tmp_path):
    metrics.write_metrics(tmp_path, {"test": _measured(), "validation": _measured(accuracy=0.95)})
    card = _hub_card(_card(tmp_path))
    found = card.data.to_dict()
    index = found.pop("model-index")
    assert found == {
        "language": "en",
        "license": "apache-2.0",
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["ftkeras"],
        "datasets": ["stanfordnlp/imdb"],
        "metrics": ["accuracy", "f1", "precision", "recall"],
        "base_model": "bert-base-uncased",
    }
    assert index[0]["name"] == "imdb"
    results = {
        (result.dataset_split, result.metric_type): result.metric_value
        for result in card.data.eval_results
    }
    assert results["test", "accuracy"] == 0.9
    assert results["validation", "accuracy"] == 0.95
    assert results["test", "f1"] == 0.8
    assert len(results) == 8
    assert card.text.strip().startswith("# imdb: a text classifier")


def test_what_is_not_known_is_omitted(tmp_path):
    card = _card(tmp_path, language=None, dataset=None, checkpoint=str(tmp_path))
    found = _hub_card(card).data.to_dict()
    assert not {"language", "license", "datasets", "base_model", "model-index"} & set(found)
    assert card.license() is None


def test_license_and_language_are_those_of_the_checkpoints_card(tmp_path):
    (tmp_path / "README.md").write_text(
        "---\nlanguage:\n- de\n- en\nlicense: MIT\n---\n# A model\n"
    )
    card = _card(tmp_path, checkpoint=str(tmp_path))
    found = _hub_card(card).data
    assert (found.license, found.language) == ("mit", ["de", "en"])
    assert "license: mit, as its model card states" in card.text()


@pytest.mark.parametrize(
    ("written", "language"), [("no", "no"), ("[no, en]", ["no", "en"]), ("null", None)]
)
def test_norwegian_is_a_language_and_no_day_stops_the_card(tmp_path, written, language):
    text = f"---\nlanguage: {written}\nlicense: mit\ndate: 2024-13-45\n---\n"
    (tmp_path / "README.md").write_text(text)
    assert license.language(str(tmp_path)) == language
    assert license.find(str(tmp_path)).identifier == "mit"


@pytest.mark.parametrize(
    "readme",
    [
        "no header",
        "---\n- a list\n---\n",
        "---\nlicense: [\n---\n",
        "---\nlicense:\n---\n",
        "---\na: 1\n---\n",
    ],
)
def test_checkpoints_card_without_a_license_states_none(tmp_path, readme):
    (tmp_path / "README.md").write_text(readme)
    assert license.find(str(tmp_path)) is None
    assert license.language(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("checkpoint", "description"),
    [
        ("bert-base-uncased", "apache-2.0, as google-research/bert states"),
        ("google/bert_uncased_L-4_H-256_A-4", "apache-2.0, as google-research/bert states"),
        ("somebody/some-bert", "not known; see where the checkpoint comes from"),
        (None, "none, as training started from random weights"),
    ],
)
def test_license_of_a_family_is_known(checkpoint, description):
    assert license.describe(checkpoint) == description
