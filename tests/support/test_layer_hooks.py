"""Test where hooks act inside an encoder, and that there is one for each place."""

import numpy as np
import pytest

from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import Classification
from ftkeras.support import protocols
from ftkeras.support.layer_hooks import LayerHooks
from ftkeras.training.finetuner import FineTuner
from tests.matrix import matrix

IDS = np.array([[5, 6, 7, 8], [9, 3, 4, 2]])


def _encoder(**settings) -> Bert:
    sizes = {"vocabulary_size": 20, "layers": 3, "hidden": 8, "heads": 2, "positions": 8}
    encoder = Bert(**sizes, dropout=0.0, attention_dropout=0.0, seed=1, **settings)
    rng = np.random.default_rng(2)
    for variable in encoder.weights:
        variable.assign_add(rng.normal(size=variable.shape, scale=0.3))
    return encoder


def _states(encoder, **settings) -> np.ndarray:
    return np.array(encoder(IDS, **settings)["sequence"])


def _double(kernel, training):
    return 2 * kernel


def test_encoder_and_its_parts_fulfil_their_protocols():
    encoder = _encoder()
    assert isinstance(encoder, protocols.Encoder)
    assert isinstance(encoder.embeddings, protocols.EncoderPart)
    assert all(isinstance(layer, protocols.EncoderLayer) for layer in encoder.blocks)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("number", matrix([0, 2], default=[2]))
def test_kernel_hook_changes_one_layer_only(number, training):
    """Also in a model, whose layers share one trace in training."""
    hooked, plain = _encoder(), _encoder()
    FineTuner(encoder=hooked, head=Classification(classes=2, seed=1), pad_id=0)
    kernel = hooked.blocks[number].output_kernel
    before = _states(hooked, training=training)
    hooked.hooks.add_kernel_hook(kernel, _double)
    assert [hooked.hooks.changes(layer) for layer in hooked.blocks] == [
        layer is hooked.blocks[number] for layer in hooked.blocks
    ]
    plain.blocks[number].output_kernel.assign(2 * kernel)
    after = _states(hooked, training=training)
    np.testing.assert_allclose(after, _states(plain, training=training), atol=1e-5)
    assert np.abs(after - before).max() > 0.01
    assert hooked.hooks.remove_kernel_hook(kernel) is _double
    np.testing.assert_array_equal(_states(hooked, training=training), before)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("sub_layer", matrix(["attention", "output"], default=["output"]))
def test_sub_layer_hook_changes_one_sub_layer_only(sub_layer, training):
    hooked, plain = _encoder(), _encoder()
    hooked.hooks.add_sub_layer_hook(hooked.blocks[1], sub_layer, lambda output: 2 * output)
    for variable in plain.blocks[1].weights:
        # The last kernel and bias of a sub-layer are named after it.
        if variable.name.startswith(sub_layer.replace("attention", "attention_output") + "_"):
            variable.assign(variable * (1 if "norm" in variable.name else 2))
    after = _states(hooked, training=training)
    np.testing.assert_allclose(after, _states(plain, training=training), atol=1e-5)
    assert np.abs(after - _states(_encoder())).max() > 0.01


def test_embedding_and_output_hooks_act_in_training_only():
    encoder = _encoder()
    before = _states(encoder)
    encoder.hooks.add_embedding_hook(lambda x, padding_mask: x + 1.0 * np.arange(8))
    encoder.hooks.add_output_hook(lambda number, x, output: output if number else x)
    np.testing.assert_array_equal(_states(encoder), before)
    moved = np.broadcast_to(np.arange(8, dtype="float32"), (*IDS.shape, 8))
    x = encoder.embeddings(IDS, offset=moved)
    for layer in encoder.blocks[1:]:
        x = layer(x)
    np.testing.assert_allclose(_states(encoder, training=True), x, atol=1e-5)


@pytest.mark.parametrize("every_token", [True, False])
def test_output_hook_gets_the_positions_that_the_layer_computes(every_token):
    encoder, shapes = _encoder(), []

    def record(number, before, after):
        shapes.append((number, before.shape[1], after.shape[1]))
        return after

    encoder.hooks.add_output_hook(record)
    encoder(IDS, every_token=every_token, training=True)
    assert shapes == [(0, 4, 4), (1, 4, 4), (2, 4, 4) if every_token else (2, 1, 1)]


def test_runner_replaces_whole_layers_in_training():
    encoder, numbers = _encoder(), []

    def run(layer, x, score_bias):
        numbers.append(encoder.blocks.index(layer))
        return layer(x, score_bias, training=True)

    encoder.hooks.set_runner(run)
    encoder(IDS)
    assert numbers == []
    encoder(IDS, training=True)
    encoder(IDS, every_token=False, training=True)  # the last layer has queries
    assert numbers == [0, 1, 2, 0, 1]


def test_recompute_takes_precedence_over_a_runner():
    encoder = _encoder(hooks=LayerHooks(recompute=True))
    encoder.hooks.set_runner(lambda layer, x, score_bias: pytest.fail("the runner was called"))
    np.testing.assert_allclose(_states(encoder, training=True), _states(encoder), atol=1e-5)


@pytest.mark.parametrize(
    "add",
    [
        lambda e: e.hooks.add_embedding_hook(lambda x, padding_mask: x),
        lambda e: e.hooks.add_output_hook(lambda number, before, after: after),
        lambda e: e.hooks.add_kernel_hook(e.blocks[1].qkv_kernel, _double),
        lambda e: e.hooks.add_sub_layer_hook(e.blocks[1], "output", abs),
    ],
    ids=["embeddings", "outputs", "kernel", "sub_layer"],
)
def test_second_hook_of_one_place_is_rejected(add):
    encoder = _encoder()
    add(encoder)
    with pytest.raises(ValueError, match="another part already changes"):
        add(encoder)


def test_unknown_sub_layer_is_named():
    encoder = _encoder()
    with pytest.raises(ValueError, match="`sub_layer`.*attention, output.*feed_forward"):
        encoder.hooks.add_sub_layer_hook(encoder.blocks[0], "feed_forward", abs)


def test_hooks_are_not_part_of_the_config():
    assert "hooks" not in _encoder(hooks=LayerHooks()).get_config()
