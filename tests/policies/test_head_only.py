"""Test that head_only makes the encoder's features constant, and that changes are noticed."""

import keras
import numpy as np
import pytest

from tests.policies import tiny


@pytest.mark.parametrize("dropout", [False, True])
def test_features_in_training_are_those_of_inference_unless_dropout_stays(dropout):
    model = tiny.model()
    tiny.prepared(model, f"head_only(dropout={dropout})")
    at_rest = model.encoder(tiny.TOKEN_IDS, training=False)["pooled"]
    training = model.encoder(tiny.TOKEN_IDS, training=True)["pooled"]
    same = np.array_equal(*map(keras.ops.convert_to_numpy, (at_rest, training)))
    assert same is not dropout


CHANGES = {
    "none": lambda encoder: None,
    "pooler_trains": lambda encoder: setattr(encoder.pool, "trainable", True),
    "layer_trains": lambda encoder: setattr(encoder.blocks[0], "trainable", True),
    "embeddings_train": lambda encoder: setattr(encoder.embeddings, "trainable", True),
    "dropout_of_embeddings": lambda encoder: setattr(encoder.embeddings, "rate", 0.1),
    "noise": lambda encoder: encoder.hooks.add_embedding_hook(lambda x, mask: x),
    "dropout": lambda encoder: setattr(encoder.blocks[1], "rate", 0.1),
    "attention_dropout": lambda encoder: setattr(encoder.blocks[1], "attention_rate", 0.1),
    "kernel_changed": lambda encoder: encoder.hooks.add_kernel_hook(
        encoder.blocks[2].qkv_kernel, min
    ),
    "adapter": lambda encoder: encoder.hooks.add_sub_layer_hook(encoder.blocks[2], "output", abs),
    "layer_output": lambda encoder: encoder.hooks.add_output_hook(
        lambda number, before, after: after
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_encoder_is_fixed_unless_anything_below_the_pooler_may_change(change):
    model = tiny.model()
    assert not model.encoder.is_fixed
    tiny.prepared(model, "head_only")
    CHANGES[change](model.encoder)
    assert model.encoder.is_fixed is (change in ("none", "pooler_trains"))
