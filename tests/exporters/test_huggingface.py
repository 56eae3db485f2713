"""The Hugging Face folder: its config, weights, tokenizer and model card."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import transformers
from huggingface_hub import ModelCard, metadata_load

from ftkeras.checkpoints import huggingface
from ftkeras.encoders.bert import Bert
from ftkeras.exporters.huggingface import NO_LICENSE, Huggingface
from ftkeras.runs import metrics
from ftkeras.text.wordpiece import WordPiece
from tests.exporters import small


@pytest.fixture(scope="module")
def folder(finished_run):
    return finished_run / "run" / "huggingface"


def test_config_describes_a_sequence_classifier(folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "negative", "1": "positive"}
    assert config["label2id"] == {"negative": 0, "positive": 1}


def test_weights_are_those_of_the_run(folder, finished_run):
    from safetensors.numpy import load_file

    saved = load_file(finished_run / "run" / "weights.safetensors")
    written = huggingface.read_tensors(folder)
    head = {path.rpartition("/")[2]: value for path, value in saved.items() if "head" in path}
    np.testing.assert_array_equal(written["classifier.weight"], head["kernel"].T)
    np.testing.assert_array_equal(written["classifier.bias"], head["bias"])
    np.testing.assert_array_equal(
        written["bert.embeddings.word_embeddings.weight"],
        saved["encoder/embeddings/token_embedding"],
    )


def test_folder_is_a_checkpoint_to_start_from(folder):
    encoder = Bert(**Bert.settings(huggingface.read_config(folder)), initial="zeros")
    assert encoder.load(huggingface.read_tensors(folder)) == []
    assert WordPiece.from_folder(folder).vocabulary[:2] == ("[PAD]", "[UNK]")


def test_transformers_predicts_what_the_saved_model_does(folder, finished_run):
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    from ftkeras.prediction.predictor import Predictor

    texts = ["Worth every minute.", "A waste of time."]
    predictor = Predictor(finished_run / "saved_models" / "quickstart" / "1")
    expected = [found["probabilities"] for found in predictor.predict(texts)]
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    probabilities = torch.softmax(model(**inputs).logits, dim=-1).detach().numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_tokenizer_truncates_to_the_length_that_was_trained(folder, finished_run):
    settings = (finished_run / "run" / "run.cfg").read_text().splitlines()
    (length,) = (line.partition("=")[2] for line in settings if line.startswith("--max_length="))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.model_max_length == int(length)
    assert len(tokenizer("the movie " * 500, truncation=True)["input_ids"]) == int(length)


def test_readme_can_be_read_by_the_hub(folder, finished_run):
    card = ModelCard.load(folder / "README.md")
    assert card.data.library_name == "transformers"
    assert card.data.pipeline_tag == "text-classification"
    assert card.data.language == "en"
    measured = metrics.read_metrics(finished_run / "run")
    accuracies = {
        result.dataset_split: result.metric_value
        for result in card.data.eval_results
        if result.metric_type == "accuracy"
    }
    assert accuracies == {split: measured[split]["accuracy"] for split in ("validation", "test")}
    assert card.text.strip().startswith("# quickstart: a text classifier")


def test_readme_names_no_license_that_is_not_known(folder, finished_run):
    assert "license" not in metadata_load(folder / "README.md")
    assert NO_LICENSE in (finished_run / "stdout.txt").read_text()


def _exporter(
    run: tuple, run_dir: pathlib.Path, license: str | None = "mit", **keys
) -> Huggingface:
    model, layer, _ = run
    about = {"problem": small.PROBLEM, "plain": True, "card": small.Card(license)}
    return Huggingface(model=model, text_layer=layer, run_dir=run_dir, **{**about, **keys})


def test_class_names_are_those_of_the_encoder_family(small_run, tmp_path, monkeypatch):
    names = {"encoder": "XLMRobertaModel", "sequence_classification": "XLMRobertaForAnything"}
    family = dataclasses.replace(Bert.family, classes=names, prefix="roberta")
    monkeypatch.setattr(Bert, "family", family)
    folder = _exporter(small_run, tmp_path).write()
    assert huggingface.read_config(folder)["architectures"] == ["XLMRobertaForAnything"]
    assert "roberta.embeddings.word_embeddings.weight" in huggingface.read_tensors(folder)


def test_class_names_exist_in_transformers():
    for name in Bert.family.classes.values():
        assert name in transformers.__all__


def test_encoder_alone_has_no_classifier_and_no_card(small_run, tmp_path):
    _exporter(small_run, tmp_path).write()
    folder = _exporter(small_run, tmp_path, head=False).write()
    assert huggingface.read_config(folder)["architectures"] == ["BertModel"]
    assert "embeddings.word_embeddings.weight" in huggingface.read_tensors(folder)
    assert not (folder / "README.md").exists()


def test_missing_license_is_reported(small_run, tmp_path):
    for license, summary in (("mit", None), (None, NO_LICENSE)):
        exporter = _exporter(small_run, tmp_path, license)
        exporter.write()
        assert exporter.message == summary
        readme = (exporter.folder / "README.md").read_text()
        assert readme == "---\ntags: [header]\n---\na card\n"


def test_model_without_a_class_in_transformers_is_refused(small_run, tmp_path):
    with pytest.raises(ValueError, match="adapters"):
        _exporter(small_run, tmp_path, plain=False)
    model = small.model("mean", layers=1)
    with pytest.raises(ValueError, match="pooling='mean'"):
        _exporter((model, *small_run[1:]), tmp_path)


def test_layers_below_the_classifier_of_tokens_are_refused(small_run, tmp_path, monkeypatch):
    family = dataclasses.replace(Bert.family, layers_of_tokens=True)
    monkeypatch.setattr(Bert, "family", family)
    monkeypatch.setattr(type(small_run[0].head), "per_token", True)
    with pytest.raises(ValueError, match="BertForSequenceClassification has layers that the head"):
        _exporter(small_run, tmp_path)
