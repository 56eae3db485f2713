"""tf_model.h5: ours compute what the TensorFlow classes of transformers did with it."""

import pathlib
import shutil

import h5py
import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.checkpoints import huggingface
from ftkeras.checkpoints.formats.h5_file import H5File
from ftkeras.errors import UserError
from tests.checkpoints.fixtures.tf_model.make_fixtures import IDS, MASK

FIXTURES = pathlib.Path(__file__).parent / "fixtures" / "tf_model"
NAME = "bert/tf_bert_model/bert/pooler/dense/kernel:0"


@pytest.mark.parametrize("name", ["bert", "bert_sharded", "distilbert", "electra", "roberta"])
def test_classifier_computes_what_the_tensorflow_class_did(name):
    config = huggingface.read_config(FIXTURES / name)
    tensors = huggingface.read_tensors(FIXTURES / name)
    cls = catalog.find("encoder", config["model_type"])
    encoder = cls(**cls.settings(config), initial="zeros")
    assert encoder.load(tensors) == []
    pooled = np.asarray(encoder(np.array(IDS), padding_mask=np.array(MASK) > 0)["pooled"])
    kernel, bias = (tensors[f"{encoder.family.classifier}.{part}"] for part in ("weight", "bias"))
    wanted = np.load(FIXTURES / name.removesuffix("_sharded") / "logits.npy")
    np.testing.assert_allclose(pooled @ kernel.T + bias, wanted, atol=1e-5)


def write(path, fill):
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def test_kernel_is_transposed_and_half_precision_widened(tmp_path):
    value = np.arange(6, dtype="float16").reshape(2, 3)
    file = H5File(write(tmp_path / "x.h5", lambda f: f.create_dataset(NAME, data=value)))
    assert file.shapes == {"bert.pooler.dense.weight": (3, 2)}
    found = file.read("bert.pooler.dense.weight")
    np.testing.assert_array_equal(found, value.T.astype("float32"), strict=True)


def test_bias_that_is_a_row_of_a_matrix_is_a_vector(tmp_path):
    name = "transformer/tfgp_t2_model/transformer/h_._3/attn/c_attn/bias:0"
    value = np.arange(6, dtype="float32")[None]
    file = H5File(write(tmp_path / "x.h5", lambda f: f.create_dataset(name, data=value)))
    assert file.shapes == {"transformer.h.3.attn.c_attn.bias": (6,)}
    np.testing.assert_array_equal(file.read("transformer.h.3.attn.c_attn.bias"), value[0])


def _linked(file):
    file["bert/a"] = h5py.ExternalLink("/etc/passwd", "/")
    file["bert/b"] = h5py.SoftLink("/nowhere")
    file["bert/bias:0"] = np.zeros(2, "float32")
    file["bert/again"] = file["/"]


def test_links_are_not_followed(tmp_path):
    assert H5File(write(tmp_path / "x.h5", _linked)).shapes == {"bert.bias": (2,)}


def _virtual(file):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "data", (4,))
    file.create_virtual_dataset(NAME, layout)


BIG = 1 << 40
REFUSED = {
    "external": (
        lambda f: f.create_dataset(NAME, (4,), "uint8", external=[("/etc/passwd", 0, 4)]),
        "type uint8",
    ),
    "external numbers": (
        lambda f: f.create_dataset(NAME, (1,), "float32", external=[("/etc/passwd", 0, 4)]),
        "data in another file",
    ),
    "virtual": (_virtual, "data in another file"),
    "compressed": (
        lambda f: f.create_dataset(NAME, (1 << 20,), "float32", compression="gzip"),
        "compressed or missing data",
    ),
    "without data": (lambda f: f.create_dataset(NAME, (BIG,), "float32"), "compressed or missing"),
    "text": (lambda f: f.create_dataset(NAME, data="text"), "type object"),
    "object": (lambda f: f.create_dataset(NAME, (2,), h5py.ref_dtype), "type object"),
    "no shape": (lambda f: f.create_dataset(NAME, data=h5py.Empty("float32")), "damaged"),
    "twice": (
        lambda f: (f.create_dataset("a/b:0", data=[0.0]), f.create_dataset("a/b", data=[0.0])),
        "the tensor a.b twice",
    ),
}


def assert_refused(path, *parts):
    with pytest.raises(UserError) as error:
        H5File(path)
    assert str(error.value).isprintable()
    for part in (f"`encoder`: {path} is ", *parts):
        assert part in str(error.value)


@pytest.mark.parametrize("name", REFUSED)
def test_file_with_anything_else_is_refused_in_one_line(tmp_path, name):
    fill, said = REFUSED[name]
    assert_refused(write(tmp_path / "x.h5", fill), said)


@pytest.mark.parametrize("length", [0, 8, 100, 5000, 40_000])
def test_file_that_is_cut_off_is_refused(tmp_path, length):
    content = (FIXTURES / "bert" / "tf_model.h5").read_bytes()
    (tmp_path / "x.h5").write_bytes(content[:length])
    assert_refused(tmp_path / "x.h5", "damaged or not a tf_model.h5")


def test_shards_that_lack_a_tensor_are_refused(tmp_path):
    shutil.copytree(FIXTURES / "bert_sharded", tmp_path, dirs_exist_ok=True)
    with h5py.File(tmp_path / "tf_model-00002-of-00002.h5", "r+") as file:
        del file["bert/encoder/layer_._0/output/dense/bias:0"]
    with pytest.raises(UserError, match="do not have the 25 tensors"):
        huggingface.read_tensors(tmp_path)


def test_file_that_is_gone_when_a_tensor_is_read_gives_one_line(tmp_path):
    shutil.copy(FIXTURES / "bert" / "tf_model.h5", tmp_path)
    file = H5File(tmp_path / "tf_model.h5")
    (tmp_path / "tf_model.h5").unlink()
    with pytest.raises(UserError, match="tf_model.h5 is damaged or not"):
        file.read("classifier.bias")
