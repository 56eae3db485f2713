"""Ten private steps without noise equal those of Opacus (make_opacus.py)."""

import numpy as np
import pytest

from ftkeras.checkpoints import huggingface
from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import Classification
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.optimizers.sgd import SGD
from ftkeras.privacy import Sampling
from ftkeras.privacy.dp_sgd import DPSGD
from ftkeras.training.finetuner import FineTuner
from tests.privacy import make_opacus as reference


@pytest.fixture(scope="module")
def expected():
    with np.load(reference.HERE / "opacus.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def model(expected):
    """Return our model after the same steps."""
    settings = Bert.settings(huggingface.read_config(reference.CHECKPOINT))
    off = {"dropout": 0.0, "attention_dropout": 0.0}
    encoder = Bert(**{**settings, **off}, initial="zeros", pooler=True)
    encoder.load(huggingface.read_tensors(reference.CHECKPOINT))
    head = Classification(classes=reference.CLASSES, dropout=0.0)
    model = FineTuner(encoder=encoder, head=head, pad_id=0)
    run = Sampling(examples=10 * reference.EXPECTED, batch_size=reference.EXPECTED, steps=10)
    model.compile(
        optimizer=SGD(learning_rate=reference.RATE, momentum=0.0, clip_norm=0.0),
        loss=CrossEntropy(),
        private=DPSGD(noise=0.0, clip=reference.CLIP, delta=1e-5, sampling=run),
        auto_scale_loss=False,
    )
    head.kernel.assign(expected["kernel"])
    start = 0
    for size in reference.SIZES:
        batch = slice(start, start + size)
        start += size
        # Each example is a micro-batch of one row.
        ids, labels = expected["token_ids"][batch, None], expected["labels"][batch, None]
        model.train_on_batch({"token_ids": ids}, labels)
    return model


def test_trained_weights_are_the_references(model, expected):
    # Opacus divides by the norm plus 1e-6.
    words, query = model.encoder.token_embedding.numpy(), expected["query"]
    np.testing.assert_allclose(words, expected["words"], atol=1e-5)
    found = model.encoder.blocks[0].qkv_kernel.numpy()[:, : query.shape[1]]
    np.testing.assert_allclose(found, query, atol=1e-5)


def test_trained_logits_are_the_references(model, expected):
    found = model({"token_ids": expected["token_ids"]}).numpy()
    np.testing.assert_allclose(found, expected["logits"], atol=1e-4)


def test_some_gradients_are_clipped_and_some_are_not(expected):
    assert 10 < (expected["norms"] > reference.CLIP).sum() < 42
