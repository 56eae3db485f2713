"""Checkpoints are read and written by name and shape, and differences are reported."""

import numpy as np
import pytest
from keras import ops

from ftkeras.checkpoints import huggingface
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from tests.encoders.golden import FIXTURES, MODELS, golden, inputs, pretrained_bert, tiny_bert

VOCABULARY = "embeddings.word_embeddings.weight"
POOLER = ["pooler.dense.weight", "pooler.dense.bias"]


@pytest.fixture
def tensors():
    return dict(huggingface.read_tensors(FIXTURES / "gelu"))


@pytest.fixture
def encoder():
    config = huggingface.read_config(FIXTURES / "gelu")
    return Bert(**Bert.settings(config), initial="zeros", seed=1)


def assert_same_bytes(actual, wanted):
    assert set(actual) == set(wanted)
    for name, array in wanted.items():
        assert actual[name].shape == array.shape, name
        assert actual[name].dtype == array.dtype, name
        assert actual[name].tobytes() == array.tobytes(), name


def assert_one_line(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in ("`encoder`", *parts):
        assert part in message


@pytest.mark.parametrize("model", MODELS)
def test_round_trip_gives_the_same_bytes(model):
    assert_same_bytes(
        pretrained_bert(FIXTURES / model).tensors(), huggingface.read_tensors(FIXTURES / model)
    )


@pytest.mark.real_data
def test_round_trip_of_a_real_encoder_gives_the_same_bytes(shared_data):
    folder = shared_data / "models" / "all-MiniLM-L6-v2"
    wanted = dict(huggingface.read_tensors(folder))
    wanted.pop("embeddings.position_ids")
    assert_same_bytes(pretrained_bert(folder).tensors(), wanted)


def old_name(name):
    name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
    return name.replace("LayerNorm.bias", "LayerNorm.beta")


def test_first_release_names_and_heads_are_read(encoder, tensors):
    named = {f"bert.{old_name(name)}": array for name, array in tensors.items()}
    heads = (
        "cls.predictions.bias",
        "cls.predictions.transform.LayerNorm.gamma",
        "cls.seq_relationship.weight",
        "classifier.weight",
        "qa_outputs.bias",
        "bert.embeddings.position_ids",
    )
    assert any(name.endswith(".gamma") for name in named)
    assert encoder.load({**named, **dict.fromkeys(heads, np.ones((2, 2)))}) == []
    assert_same_bytes(encoder.tensors(), tensors)


def test_loaded_encoder_is_the_reference_whatever_it_held_before(tensors):
    settings = Bert.settings(huggingface.read_config(FIXTURES / "gelu"))
    encoder, case = Bert(**settings, initial="normal"), golden("gelu")["plain_7"]
    encoder.load(tensors)
    pooled = ops.convert_to_numpy(encoder(**inputs(case))["pooled"])
    np.testing.assert_allclose(pooled, case["pooled"], rtol=0, atol=1e-5)


def test_missing_pooler_is_initialized_and_reported(encoder, tensors):
    for name in POOLER:
        tensors.pop(name)
    assert sorted(encoder.load(tensors)) == sorted(POOLER)
    started = encoder.tensors()
    assert started[POOLER[0]].std() == pytest.approx(0.02 * 0.88, rel=0.2)
    assert not started[POOLER[1]].any()
    assert_same_bytes({name: started[name] for name in tensors}, tensors)


def test_pooler_that_is_not_needed_is_ignored(tensors):
    encoder = pretrained_bert(FIXTURES / "gelu", pooler=False)
    assert set(tensors) - set(encoder.tensors()) == set(POOLER)


@pytest.mark.parametrize("name", ["pooler.dense.bias", "encoder.layer.1.output.dense.weight"])
def test_missing_tensor_is_named(encoder, tensors, name):
    tensors.pop(name)
    with pytest.raises(UserError) as error:
        encoder.load(tensors, source="folder/of/mine")
    assert_one_line(error, "1 missing", name, "folder/of/mine")


@pytest.mark.parametrize("name", ["encoder.layer.2.output.dense.bias", "cls2.weight", "x.cls.y"])
def test_unexpected_tensor_is_named_as_in_the_file(encoder, tensors, name):
    with pytest.raises(UserError) as error:
        encoder.load({**tensors, f"bert.{name}": np.ones(3)})
    assert_one_line(error, "1 unexpected", f"bert.{name}")


def test_tensor_beside_the_encoder_is_named_and_ignored(encoder, tensors, caplog):
    caplog.set_level("INFO")
    assert encoder.load({**tensors, "linear.weight": np.ones((8, 16), "float32")}) == []
    assert "linear.weight" in caplog.text
    assert_same_bytes(encoder.tensors(), tensors)


def test_tensor_under_two_names_is_refused(encoder, tensors):
    with pytest.raises(UserError) as error:
        encoder.load({**tensors, f"bert.{VOCABULARY}": tensors[VOCABULARY]})
    assert_one_line(error, "twice", VOCABULARY, f"bert.{VOCABULARY}")


def test_many_differences_are_counted(encoder, tensors):
    renamed = {f"roberta.{name}": array for name, array in tensors.items()}
    with pytest.raises(UserError) as error:
        encoder.load(renamed)
    count = len(tensors)
    assert_one_line(error, f"{count - 2} missing", f"{count} unexpected", VOCABULARY, "…")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("encoder.layer.0.attention.self.key.weight", (16, 8)),
        ("encoder.layer.0.intermediate.dense.weight", (16, 40)),
        ("encoder.layer.1.output.LayerNorm.weight", (1, 16)),
        ("embeddings.position_embeddings.weight", (128, 16)),
        (VOCABULARY, (60, 8)),
    ],
)
def test_wrong_shape_is_reported_with_both_shapes(encoder, tensors, name, shape):
    wanted, tensors[name] = tensors[name].shape, np.zeros(shape, "float32")
    with pytest.raises(UserError) as error:
        encoder.load(tensors)
    assert_one_line(error, name, str(shape), str(wanted))


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "1 values that are not finite"), ("int8", "numbers of type int8")],
)
def test_values_that_are_no_weights_are_refused(encoder, tensors, value, message):
    name = "encoder.layer.0.intermediate.dense.weight"
    if value == "int8":
        tensors[name] = tensors[name].astype(value)
    else:
        tensors[name] = tensors[name].copy()
        tensors[name][0, 0] = value
    with pytest.raises(UserError) as error:
        encoder.load(tensors)
    assert_one_line(error, name, message)


def test_wrong_vocabulary_size_is_reported_with_both_sizes(encoder, tensors):
    tensors[VOCABULARY] = np.zeros((71, 16), "float32")
    with pytest.raises(UserError) as error:
        encoder.load(tensors)
    assert_one_line(error, "71 tokens", "vocab_size=60")


def test_query_key_and_value_are_concatenated_in_that_order(encoder, tensors):
    encoder.load(tensors)
    kernel = ops.convert_to_numpy(encoder.blocks[1].qkv_kernel)
    module = "encoder.layer.1.attention.self.{}.weight"
    parts = [tensors[module.format(part)].T for part in ("query", "key", "value")]
    np.testing.assert_array_equal(kernel, np.concatenate(parts, axis=1))


def test_names_are_those_of_the_reference_for_any_size():
    names = set(tiny_bert(layers=3).tensors())
    assert names == set(huggingface.read_tensors(FIXTURES / "gelu_new"))


def test_written_folder_computes_the_same_in_transformers(tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    encoder, case = pretrained_bert(FIXTURES / "gelu_new"), golden("gelu_new")["padded_7"]
    huggingface.write(tmp_path, config=encoder.huggingface_config(), tensors=encoder.tensors())
    model = transformers.BertModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    with torch.no_grad():
        pooled = model(
            input_ids=torch.tensor(case["token_ids"].astype("int64")),
            attention_mask=torch.tensor(case["padding_mask"].astype("int64")),
        ).pooler_output.numpy()
    np.testing.assert_allclose(pooled, case["pooled"], rtol=0, atol=1e-5)
