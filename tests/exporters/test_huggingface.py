"""The Hugging Face folder: its config, weights, tokenizer and model card."""

import copy
import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
import transformers
from huggingface_hub import ModelCard, metadata_load
from safetensors import SafetensorError

from ftkeras.checkpoints import huggingface
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from ftkeras.exporters import _read_back
from ftkeras.exporters import huggingface as huggingface_exporter
from ftkeras.exporters.huggingface import NO_LICENSE, Huggingface
from ftkeras.runs import layout, metrics, samples
from ftkeras.support import hashes
from ftkeras.text.truncations.head_tail import HeadTail
from ftkeras.text.truncations.tail import Tail
from ftkeras.text.truncations.windows import Windows
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
    shutil.copy(run[2] / layout.SAMPLES, run_dir)
    about = {"problem": small.PROBLEM, "pairs": False, "plain": True, "card": small.Card(license)}
    return Huggingface(model=model, text_layer=layer, run_dir=run_dir, **{**about, **keys})


def test_class_names_are_those_of_the_encoder_family(small_run, tmp_path, monkeypatch):
    names = {"encoder": "XLMRobertaModel", "sequence_classification": "XLMRobertaForAnything"}
    family = dataclasses.replace(Bert.family, classes=names, prefix="roberta")
    monkeypatch.setattr(Bert, "family", family)
    _exporter(small_run, tmp_path).save(tmp_path)
    assert huggingface.read_config(tmp_path)["architectures"] == ["XLMRobertaForAnything"]
    assert "roberta.embeddings.word_embeddings.weight" in huggingface.read_tensors(tmp_path)


def test_class_names_exist_in_transformers():
    for name in Bert.family.classes.values():
        assert name in transformers.__all__


def test_encoder_alone_has_no_classifier_and_no_card(small_run, tmp_path):
    _exporter(small_run, tmp_path, head=False).save(tmp_path)
    assert huggingface.read_config(tmp_path)["architectures"] == ["BertModel"]
    assert "embeddings.word_embeddings.weight" in huggingface.read_tensors(tmp_path)
    assert not (tmp_path / "README.md").exists()


WRONG = {
    "classifier.weight": np.full((3, 24), 7, np.float32),
    "classifier.bias": np.full(3, 7, np.float32),
}


def test_folder_is_kept_only_if_it_gives_the_answers_of_the_run(small_run, tmp_path, monkeypatch):
    folder = _exporter(small_run, tmp_path).write()
    record = json.loads((folder / layout.EXPORT_RECORD).read_text())
    assert record["samples"] == len(small.TEXTS)
    assert record["largest_difference"] < 1e-5
    assert record["files"].keys() == {p.name for p in folder.iterdir()} - {layout.EXPORT_RECORD}
    kept = hashes.of_folder(folder)
    monkeypatch.setattr(Huggingface, "_classifier_tensors", lambda self, tensors: WRONG)
    with pytest.raises(UserError, match="export=huggingface: a probability differs by"):
        _exporter(small_run, tmp_path).write()
    assert hashes.of_folder(folder) == kept


def test_caller_may_allow_other_answers(small_run, tmp_path, monkeypatch):
    (tmp_path / "huggingface").mkdir()
    (tmp_path / "huggingface" / "handler.py").touch()
    monkeypatch.setattr(Huggingface, "_classifier_tensors", lambda self, tensors: WRONG)
    folder = _exporter(small_run, tmp_path, tolerance=1.0).write()
    assert json.loads((folder / layout.EXPORT_RECORD).read_text())["largest_difference"] > 0.1
    assert (folder / "handler.py").exists()  # it was added by a user


@pytest.mark.parametrize("head", [True, False])
def test_encoder_is_compared_too(small_run, tmp_path, monkeypatch, head):
    real = Bert.tensors
    monkeypatch.setattr(Bert, "tensors", lambda self: {n: -v for n, v in real(self).items()})
    with pytest.raises(UserError, match="export=huggingface: a probability differs by"):
        _exporter(small_run, tmp_path, head=head).write()
    assert not (tmp_path / "huggingface").exists()


def test_temperature_is_in_the_weights_that_are_compared(small_run, tmp_path):
    problem = copy.copy(small.PROBLEM)
    problem.temperature = 2.0
    rows = samples.read(small_run[2])
    for row in rows:
        roots = np.sqrt(row["probabilities"])
        row["probabilities"] = (roots / roots.sum()).tolist()
    exporter = _exporter(small_run, tmp_path, problem=problem)
    (tmp_path / layout.SAMPLES).write_text("\n".join(map(json.dumps, rows)))
    record = json.loads((exporter.write() / layout.EXPORT_RECORD).read_text())
    assert record["largest_difference"] < 1e-5


def test_model_that_is_read_back_does_not_take_memory_of_the_device(
    small_run, tmp_path, monkeypatch
):
    """The second CPU stands for a GPU that has the model of the run."""
    made, answered = [], []
    read, answers = _read_back.read, huggingface_exporter.answers

    def keep(*about):
        made.append(read(*about))
        return made[0]

    def record(signature, texts):
        outputs = signature(text=tf.constant(["good"]))
        answered.extend(value.device for value in outputs.values())
        return answers(signature, texts)

    monkeypatch.setattr(_read_back, "read", keep)
    monkeypatch.setattr(huggingface_exporter, "answers", record)
    with tf.device("CPU:1"):
        _exporter(small_run, tmp_path).write()
    held = {variable.value.device for variable in made[0].saved_variables}
    assert {name.rpartition("/")[2] for name in held.union(answered)} == {"device:CPU:0"}


def test_weights_of_a_model_without_answers_are_compared(small_run):
    _read_back.require_equal(small.model(), small_run[0])
    other = small.model()
    other.head.bias.assign_add([0.0, 1e-3, 0.0])
    with pytest.raises(UserError, match="export=huggingface: .*bias is not what it is in the run"):
        _read_back.require_equal(other, small_run[0])


def test_full_disk_leaves_the_folder_as_it_was(small_run, tmp_path, monkeypatch):
    folder = _exporter(small_run, tmp_path).write()
    before = hashes.of_folder(folder)

    def fail(tensors, path, metadata):
        raise SafetensorError("Error while serializing: I/O error: full (os error 28)")

    monkeypatch.setattr("safetensors.numpy.save_file", fail)
    with pytest.raises(OSError, match=f"No space left on device: '{folder}'"):
        _exporter(small_run, tmp_path, head=False).write()
    assert hashes.of_folder(folder) == before
    assert {path.name for path in tmp_path.iterdir()} == {"huggingface", layout.SAMPLES}


def test_missing_license_is_reported(small_run, tmp_path):
    for license, summary in (("mit", None), (None, NO_LICENSE)):
        exporter = _exporter(small_run, tmp_path, license)
        exporter.save(tmp_path)
        assert exporter.message == summary
        assert (tmp_path / "README.md").read_text() == "---\ntags: [header]\n---\na card\n"


@pytest.mark.parametrize("truncation", [Tail(), HeadTail(head=4), Windows()], ids=type)
def test_transformers_cuts_texts_as_the_run_does_or_the_caller_is_told(
    small_run, tmp_path, truncation
):
    layer = small.text_layer(max_length=12)
    layer.truncation = truncation
    exporter = _exporter((small_run[0], layer, small_run[2]), tmp_path)
    exporter.save(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    long, other = " ".join(f"x{n}" for n in range(40)), " ".join(f"y{n}" for n in range(40))
    for columns in ([long],), ([long], [other]):
        same = tokenizer(*columns, truncation=True)["input_ids"] == (
            layer(*columns)["token_ids"].to_list()
        )
        assert same == isinstance(truncation, Tail)
    told = {Tail: None, HeadTail: "as head_tail(head=4) does", Windows: "reads a window"}
    assert (told[type(truncation)] or "None") in str(exporter.message)


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
