"""Test policies on ModernBERT: layers are gated, and the pooler has a normalization."""

import pytest

from ftkeras.encoders.modernbert import Modernbert
from ftkeras.heads.classification import Classification
from ftkeras.training.finetuner import FineTuner
from tests.policies import tiny


def _prepared(spec):
    head = Classification(classes=2, pooling="pooled")
    encoder = Modernbert(vocabulary_size=20, layers=2, hidden=8, heads=2, positions=6)
    model = FineTuner(encoder=encoder, head=head, pad_id=0)
    model({"token_ids": tiny.TOKEN_IDS[:1]})
    tiny.prepared(model, spec)
    return model


@pytest.mark.parametrize("trains", [True, False])
def test_adapters_train_the_pooler_as_a_whole_or_not_at_all(trains):
    model = _prepared(f"adapters(size=2, pooler={trains})")
    assert {weight.trainable for weight in model.encoder.pool.weights} == {trains}
    assert model.encoder.blocks[0].output_norm[0].trainable


def test_lora_can_update_the_gate():
    model = _prepared("lora(rank=2, targets='gate')")
    names = [weight.name for weight in model.scaffold.lora.weights]
    assert names == [f"layer_{n}_gate_{factor}" for n in (0, 1) for factor in "ab"]
