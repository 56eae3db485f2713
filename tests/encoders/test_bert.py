"""Test the network: parity with the reference, masking, precision, paths, seeds, settings."""

import functools
import json
import re

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from ftkeras.encoders.bert import Bert
from tests.encoders.golden import FIXTURES, MODELS, golden, inputs, pretrained_bert, tiny_bert
from tests.matrix import examples, matrix

CASES = [(model, case) for model in MODELS for case in golden(model)]
# The models differ in the activation only: by default the second runs a case of each length.
FEW_CASES = [
    (model, case) for model, case in CASES if model == "gelu" or case.startswith("padded_segments")
]
# The positions of 512 that the fixtures keep (make_fixtures.py, STRIDE).
KEPT = {512: slice(None, None, 9)}


@functools.cache
def fixture_bert(model, **changes):
    return pretrained_bert(FIXTURES / model, **changes)


def states_of(encoder, case):
    kept = KEPT.get(case["token_ids"].shape[1], slice(None))
    return np.stack(
        [ops.convert_to_numpy(s)[:, kept] for s in encoder.hidden_states(**inputs(case))]
    )


def assert_close(actual, wanted, tolerance=1e-5):
    np.testing.assert_allclose(ops.convert_to_numpy(actual), wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("named", matrix(CASES, default=FEW_CASES), ids="-".join)
def test_hidden_states_and_pooled_equal_the_reference(named):
    model, name = named
    case, encoder = golden(model)[name], fixture_bert(model)
    states, outputs = states_of(encoder, case), encoder(**inputs(case))
    assert states.shape == case["states"].shape
    assert_close(states, case["states"])
    assert_close(outputs["pooled"], case["pooled"])
    assert_close(outputs["sequence"], encoder.hidden_states(**inputs(case))[-1], 0)


def test_goldens_hold_every_length_and_kind():
    kinds = {f"{kind}_{n}" for n in (1, 7, 512) for kind in ("plain", "padded", "padded_segments")}
    assert all(set(golden(model)) == kinds for model in MODELS)


@pytest.mark.real_data
def test_hidden_states_of_a_real_encoder_equal_the_reference(shared_data):
    encoder = pretrained_bert(shared_data / "models" / "all-MiniLM-L6-v2")
    case = golden("all-MiniLM-L6-v2")["sentences"]
    assert case["padding_mask"].min() == 0
    assert_close(states_of(encoder, case), case["states"])
    assert_close(encoder(**inputs(case))["pooled"], case["pooled"])


def test_functional_model_with_unknown_sizes_equals_the_reference():
    names = ("token_ids", "padding_mask", "segment_ids")
    symbols = {name: keras.Input((None,), dtype="int32", name=name) for name in names}
    model = keras.Model(symbols, fixture_bert("gelu")(**symbols))
    for name in ("padded_segments_7", "padded_segments_512"):
        case = golden("gelu")[name]
        assert_close(model.predict_on_batch(inputs(case))["pooled"], case["pooled"])


def test_without_segment_ids_all_are_segment_zero():
    ids = np.array([[1, 2, 3]])
    zeros = fixture_bert("gelu")(ids, segment_ids=np.zeros_like(ids))
    ones = fixture_bert("gelu")(ids, segment_ids=np.ones_like(ids))
    absent = fixture_bert("gelu")(ids)
    assert_close(absent["sequence"], zeros["sequence"], 1e-6)
    assert np.abs(ops.convert_to_numpy(absent["sequence"] - ones["sequence"])).max() > 0.1


@pytest.mark.parametrize(
    "policy", matrix(["float32", "mixed_float16", "mixed_bfloat16"], default=["float32"])
)
@examples(15)
@given(data=st.data())
def test_content_of_the_padding_changes_nothing(policy, data):
    encoder = fixture_bert("gelu", dtype=policy)
    ids, length = st.integers(0, encoder.vocabulary_size - 1), 7
    row = st.lists(ids, min_size=length, max_size=length)
    real, token_ids, others = data.draw(st.integers(1, length - 1)), data.draw(row), data.draw(row)
    mask = (np.arange(length) < real).astype("int32")[None]

    def run(padding, segment):
        row = np.array([token_ids[:real] + padding[real:]])
        outputs = encoder(row, mask, (1 - mask) * segment)
        sequence, pooled = (ops.cast(outputs[name], "float32") for name in ("sequence", "pooled"))
        return ops.convert_to_numpy(sequence)[:, :real], ops.convert_to_numpy(pooled)

    for first, second in zip(run(token_ids, 0), run(others, 1), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_mask_of_any_type_means_the_same(dtype):
    case = golden("gelu")["padded_7"]
    pooled = fixture_bert("gelu")(case["token_ids"], case["padding_mask"].astype(dtype))["pooled"]
    assert_close(pooled, case["pooled"])


def test_row_of_padding_alone_stays_finite():
    outputs = fixture_bert("gelu", dtype="mixed_float16")(
        np.zeros((2, 5), "int32"), np.zeros((2, 5))
    )
    assert np.isfinite(ops.convert_to_numpy(outputs["sequence"])).all()


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 0.02), ("mixed_bfloat16", 0.2)]
)
def test_half_precision_is_close_and_keeps_float32_weights(policy, tolerance):
    encoder, case = fixture_bert("gelu", dtype=policy), golden("gelu")["padded_segments_7"]
    outputs = encoder(**inputs(case))
    dtypes = {keras.backend.standardize_dtype(value.dtype) for value in outputs.values()}
    assert dtypes == {policy.removeprefix("mixed_")}
    assert {weight.dtype for weight in encoder.weights} == {"float32"}
    assert_close(ops.cast(outputs["sequence"], "float32"), case["states"][-1], tolerance)


def test_paths_are_the_same_inside_a_model():
    class Model(keras.Model):
        def __init__(self):
            super().__init__(name="normal")
            self.inner = tiny_bert(layers=1)

        def call(self, token_ids):
            return self.inner(token_ids)["pooled"]

    model = Model()
    model(np.array([[1, 2]]))
    layer = "encoder/layer_0/"
    parts = ("attention_qkv", "attention_output", "intermediate", "output")
    assert {weight.path for weight in model.inner.weights} == {
        *(f"encoder/embeddings/{table}_embedding" for table in ("token", "position", "segment")),
        *(f"{layer}{part}_{kind}" for part in parts for kind in ("kernel", "bias")),
        *(f"{layer}attention_norm_{kind}" for kind in ("scale", "bias")),
        *(f"{layer}output_norm_{kind}" for kind in ("scale", "bias")),
        *("encoder/embeddings/norm_scale", "encoder/embeddings/norm_bias"),
        *("encoder/pooler/kernel", "encoder/pooler/bias"),
    }  # fmt: skip


def test_one_pattern_finds_biases_and_norms():
    weights = tiny_bert().trainable_variables
    assert len(weights) == 5 + 2 * 12 + 2
    for weight in weights:
        assert bool(re.search("bias|norm", weight.path)) == (len(weight.shape) == 1), weight.path


def test_normal_start_is_bert_s():
    encoder = tiny_bert(hidden=64, vocabulary_size=500, seed=3)
    for weight in encoder.weights:
        value = ops.convert_to_numpy(weight)
        if len(weight.shape) == 2:
            # A normal distribution cut at two standard deviations has 0.88 of its spread.
            assert value.std() == pytest.approx(0.02 * 0.88, rel=0.15), weight.path
            assert np.abs(value).max() <= 0.04
        else:
            assert (value == weight.path.endswith("scale")).all(), weight.path


def test_zeros_start_has_no_random_weights():
    for weight in tiny_bert(initial="zeros").weights:
        assert (ops.convert_to_numpy(weight) == weight.path.endswith("scale")).all(), weight.path


def test_seed_fixes_weights_and_dropout():
    def run(seed):
        encoder = tiny_bert(seed=seed, dropout=0.5)
        return encoder.tensors(), [
            ops.convert_to_numpy(encoder(np.array([[1, 2, 3]]), training=True)["sequence"])
            for _ in range(2)
        ]

    (weights, states), (again, states_again), (others, _) = run(1), run(1), run(2)
    assert all(np.array_equal(weights[name], again[name]) for name in weights)
    np.testing.assert_array_equal(states, states_again)
    assert not np.array_equal(*states)
    name = "encoder.layer.{}.output.dense.weight"
    assert not np.array_equal(weights[name.format(0)], others[name.format(0)])
    assert not np.array_equal(weights[name.format(0)], weights[name.format(1)])


def test_unseeded_start_follows_the_global_seed():
    def start():
        keras.utils.set_random_seed(5)
        return tiny_bert().tensors()["pooler.dense.weight"]

    np.testing.assert_array_equal(start(), start())


@pytest.mark.parametrize("source", ["attention_output_bias", "output_bias"])
@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_dropout_acts_on_the_output_of_each_sub_layer(source, rate):
    encoder = tiny_bert(layers=1, initial="zeros", dropout=rate, attention_dropout=0.0, seed=1)
    block, x = encoder.blocks[0], np.zeros((2, 5, 8), "float32")
    # As all other weights are zero, only this bias can make the two outputs differ.
    variable = next(weight for weight in block.weights if weight.path.endswith(f"/{source}"))
    variable.assign(np.arange(8))
    trained, served = block(x, training=True), block(x, training=False)
    assert bool(ops.all(trained == served)) == (rate == 0.0)


def test_attention_dropout_acts_on_the_probabilities():
    ids = np.array([[1, 2, 3, 4]])
    encoder = tiny_bert(dropout=0.0, attention_dropout=0.5, seed=1)
    assert not bool(ops.all(encoder(ids, training=True)["sequence"] == encoder(ids)["sequence"]))
    quiet = tiny_bert(dropout=0.0, attention_dropout=0.0, seed=1)
    assert bool(ops.all(quiet(ids, training=True)["sequence"] == quiet(ids)["sequence"]))


def test_embedding_dropout_zeroes_a_share_and_scales_the_rest():
    encoder, ids = tiny_bert(dropout=0.25, seed=1), np.ones((16, 32), "int32")
    kept = ops.convert_to_numpy(encoder.embeddings(ids, training=True))
    whole = ops.convert_to_numpy(encoder.embeddings(ids))
    assert (kept == 0).mean() == pytest.approx(0.25, abs=0.03)
    np.testing.assert_allclose(kept[kept != 0], whole[kept != 0] / 0.75, rtol=1e-5)


def test_step_changes_every_variable():
    encoder = tiny_bert(vocabulary_size=6, positions=4, seed=1)
    symbols = [keras.Input((4,), dtype="int32") for _ in range(2)]
    outputs = encoder(symbols[0], segment_ids=symbols[1])
    model = keras.Model(symbols, keras.layers.Dense(3)(outputs["pooled"]))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = [ops.convert_to_numpy(weight) for weight in encoder.trainable_variables]
    model.train_on_batch([np.array([[0, 1, 2, 3]]), np.array([[0, 1, 0, 1]])], np.ones((1, 3)))
    for old, new in zip(before, encoder.trainable_variables, strict=True):
        assert not np.array_equal(old, ops.convert_to_numpy(new)), new.path


def test_without_pooler_there_is_no_pooled_output():
    encoder = tiny_bert(pooler=False)
    assert set(encoder(np.array([[1]]))) == {"sequence", "first"}
    assert not any("pooler" in weight.path for weight in encoder.weights)


def test_more_positions_than_the_encoder_has_are_refused():
    with pytest.raises(ValueError, match=r"`token_ids` must be at most 4 .* Received: 5"):
        tiny_bert(positions=4)(np.ones((1, 5), "int32"))


def test_config_round_trip_makes_the_same_encoder():
    encoder = tiny_bert(
        activation="relu", pooler=False, pad_id=None, seed=4, dtype="mixed_bfloat16"
    )
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    assert isinstance(copy, Bert)
    assert copy.get_config() == encoder.get_config()
    assert copy.compute_dtype == "bfloat16"
    np.testing.assert_equal(copy.tensors(), encoder.tensors())


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *((name, value) for name in ("vocabulary_size", "layers", "heads") for value in (0, 1.5)),
        *(("hidden", value) for value in (-8, "8", None, True)),
        *(("intermediate", 0), ("positions", 0), ("segments", 0), ("heads", 3)),
        *((name, value) for name in ("dropout", "attention_dropout") for value in (1.0, -0.1, "x")),
        *(("epsilon", 0.0), ("activation", "gelu_slow"), ("activation", []), ("initial", "ones")),
        *(("pad_id", -1), ("seed", "a")),
    ],
)
def test_bad_argument_is_named_with_its_value(argument, value):
    with pytest.raises(
        ValueError, match=rf"`{argument}` must be .*Received: {re.escape(repr(value))}"
    ):
        tiny_bert(**{argument: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("hidden_act", "gelu_fast"),
        ("model_type", "roberta"),
    ],
)
def test_setting_that_is_not_supported_is_named(field, value):
    with pytest.raises(ValueError, match=rf"`{field}` must be .*Received: {value!r}") as error:
        Bert.settings({field: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("model", MODELS)
def test_config_json_is_read_and_written_as_the_reference_has_it(model):
    theirs = json.loads((FIXTURES / model / "config.json").read_text())
    ours = fixture_bert(model).huggingface_config()
    different = {"initializer_range", "position_embedding_type"}
    assert {k: v for k, v in ours.items() if k not in different}.items() <= theirs.items()
    assert Bert.settings(ours) == Bert.settings(theirs)


def test_settings_of_an_empty_config_are_bert_base():
    encoder = Bert(**Bert.settings({}), initial="zeros")
    assert encoder.count_params() == 109_482_240


@pytest.mark.parametrize(
    "activation", ["gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish"]
)
def test_every_activation_is_its_formula(activation):
    from math import erf, exp, pi, sqrt, tanh

    def cubic(x):
        return 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))

    formula = {
        "gelu": lambda x: 0.5 * x * (1 + erf(x / sqrt(2))),
        "gelu_new": cubic,
        "gelu_pytorch_tanh": cubic,
        "relu": lambda x: max(x, 0.0),
    }.get(activation, lambda x: x / (1 + exp(-x)))
    x = np.linspace(-4, 4, 33, dtype="float32")
    function = tiny_bert(activation=activation).blocks[0].activation
    assert_close(function(ops.convert_to_tensor(x)), [formula(float(value)) for value in x], 1e-6)
