"""TensorFlow checkpoints: ours computes what the code that wrote them did."""

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.checkpoints import huggingface
from ftkeras.checkpoints.formats.tf_checkpoint import TFCheckpoint
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from ftkeras.text.from_folder import read_tokenizer
from tests.checkpoints.fixtures.tf_checkpoint.make_fixtures import IDS, SEGMENTS

FIXTURES = pathlib.Path(__file__).parent / "fixtures" / "tf_checkpoint"


def read(name):
    """Return the encoder, its tensors and what it computes."""
    # The code of all three approximates GELU, though bert_config.json says "gelu".
    settings = {**Bert.settings(huggingface.read_config(FIXTURES / name)), "activation": "gelu_new"}
    encoder, tensors = Bert(**settings, initial="zeros"), huggingface.read_tensors(FIXTURES / name)
    assert encoder.load(tensors) == []
    ids = np.array(IDS)
    outputs = encoder(ids, padding_mask=ids > 0, segment_ids=np.array(SEGMENTS))
    return tensors, {key: np.asarray(value) for key, value in outputs.items()}


@pytest.mark.parametrize("name", ["google", "garden", "garden_layer"])
def test_encoder_computes_what_the_original_did(name):
    _, outputs = read(name)
    wanted, is_token = np.load(FIXTURES / name / "outputs.npz"), np.array(IDS) > 0
    np.testing.assert_allclose(outputs["pooled"], wanted["pooled"], atol=1e-5)
    sequence = outputs["sequence"][is_token]
    np.testing.assert_allclose(sequence, wanted["states"][is_token], atol=1e-5)


def test_classifier_of_google_s_code_is_read_and_its_optimizer_is_not():
    tensors, outputs = read("google")
    logits = outputs["pooled"] @ tensors["classifier.weight"].T + tensors["classifier.bias"]
    wanted = np.load(FIXTURES / "google" / "outputs.npz")["logits"]
    np.testing.assert_allclose(logits, wanted, atol=1e-5)
    assert not [name for name in tensors if "adam" in name or "step" in name]


def test_folder_as_published_has_a_config_and_a_tokenizer(tmp_path):
    shutil.copy(FIXTURES / "google" / "bert_config.json", tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    assert huggingface.read_config(tmp_path)["model_type"] == "bert"
    assert len(read_tokenizer(tmp_path).vocabulary) == 6


def write(folder, **variables):
    variables = {name: tf.Variable(value) for name, value in variables.items()}
    tf.compat.v1.train.Saver(variables).save(None, str(folder / "x.ckpt"), write_meta_graph=False)
    return folder / "x.ckpt.index"


def assert_refused(path, *parts):
    with pytest.raises(UserError) as error:
        TFCheckpoint(path)
    assert str(error.value).isprintable()
    for part in (f"`encoder`: {path} is damaged or not a TensorFlow checkpoint", *parts):
        assert part in str(error.value)


def test_variables_of_other_types_are_refused(tmp_path):
    assert_refused(write(tmp_path, a=tf.constant(["text"])), "a has the type string")


def test_same_tensor_twice_is_refused(tmp_path):
    path = write(tmp_path, **{"a/gamma": [1.0], "a/kernel": [[1.0]]})
    assert_refused(path, "the tensor a.weight twice")


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_file_that_is_cut_off_is_refused(tmp_path, part):
    for file in (FIXTURES / "google").glob("bert_model.ckpt.*"):
        content = file.read_bytes()
        keep = len(content) // 30 if file.name.endswith(part) else len(content)
        (tmp_path / file.name).write_bytes(content[:keep])
    assert_refused(tmp_path / "bert_model.ckpt.index")


def test_several_checkpoints_are_refused(tmp_path):
    for step in (1, 2):
        (tmp_path / f"model.ckpt-{step}.index").touch()
    with pytest.raises(UserError, match=r"model.ckpt-1.index and model.ckpt-2.index; keep one"):
        huggingface.read_tensors(tmp_path)
    huggingface.write(tmp_path, config={}, tensors={"x": np.zeros(1)})
    assert list(huggingface.read_tensors(tmp_path)) == ["x"]
    assert "model.ckpt-1.index and model.ckpt-2.index" in huggingface.describe_choice(tmp_path)
