"""Masked language modelling equals that of PyTorch and transformers (make_masked_lm.py)."""

import numpy as np
import pytest

from ftkeras import problems
from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.encoders.bert import Bert
from ftkeras.experiment import optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.heads.masked_lm import MaskedLm
from ftkeras.training.finetuner import FineTuner
from tests.encoders.test_families import encoder_of
from tests.matrix import matrix
from tests.training import make_masked_lm as torch_run


def start(head, family, tensors):
    """Assign the reference's tensors to the head."""
    values = {v.name: v for v in head.weights}
    for rule in family.masked_lm.rules(biases=head.biases):
        values[rule.variable].assign(rule.join([tensors[name] for name in rule.tensors]))


@pytest.fixture(scope="module")
def expected():
    with np.load(torch_run.HERE / "masked_lm.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def trained(expected):
    """Return our model after the same steps, and the loss of each."""
    settings = Bert.settings(huggingface.read_config(torch_run.CHECKPOINT))
    off = {"dropout": 0.0, "attention_dropout": 0.0}
    encoder = Bert(**{**settings, **off}, initial="zeros", pooler=False)
    encoder.load(huggingface.read_tensors(torch_run.CHECKPOINT))
    problem = problems.find("masked_lm")()
    model = FineTuner(encoder=encoder, head=MaskedLm(seed=1), pad_id=0, condense=problem.condense)
    start(model.head, encoder.family, expected)
    config = Config(
        loss=problem.loss,
        learning_rate=torch_run.RATE,
        warmup=str(torch_run.WARMUP),
        clip_norm=torch_run.CLIP,
        optimizer=f"adamw(decay={torch_run.DECAY})",
    )
    optimization.compile_to_train(
        Experiment(config, None, problem, None, model), total_steps=torch_run.STEPS
    )
    losses = []
    batches = (expected[name] for name in ("token_ids", "places", "counts"))
    for ids, places, count in zip(*batches, strict=True):
        is_used = np.arange(torch_run.SLOTS) < count
        flat = ids.ravel().copy()
        flat[places[is_used]] = torch_run.MASK
        inputs = {"token_ids": flat.reshape(ids.shape), "places": places}
        answers = {"targets": ids.ravel()[places], "example_mask": is_used}
        model.reset_metrics()
        losses.append(float(model.train_on_batch(inputs, answers, return_dict=True)["loss"]))
    return model, losses


def test_loss_of_every_step_is_the_references(trained, expected):
    np.testing.assert_allclose(trained[1], expected["losses"], rtol=1e-4)


def test_trained_weights_are_the_references(trained, expected):
    model, _ = trained
    table = model.encoder.token_embedding.numpy()
    np.testing.assert_allclose(table, expected["embedding"], atol=5e-5)
    inputs = {"token_ids": expected["token_ids"][0], "places": expected["places"][0]}
    np.testing.assert_allclose(np.array(model(inputs)), expected["logits"], atol=2e-4)


FAMILIES = sorted(torch_run.CLASSES)


@pytest.mark.parametrize("name", matrix(FAMILIES, default=["albert"]))
def test_logits_with_the_head_of_each_family_are_the_references(name):
    with np.load(torch_run.HERE / "masked_lm_heads.npz") as arrays:
        token_ids = arrays["token_ids"]
        tensors = {key: value for key, value in arrays.items() if key.startswith(f"{name}/")}
    tensors = {key.partition("/")[2]: value for key, value in tensors.items()}
    encoder = encoder_of(name) if name != "gelu" else _bert()
    model = FineTuner(encoder=encoder, head=MaskedLm(), pad_id=encoder.pad_id)
    start(model.head, encoder.family, tensors)
    places = np.arange(token_ids.size, dtype="int32")
    found = model({"token_ids": token_ids, "places": places})
    np.testing.assert_allclose(np.array(found), tensors["logits"], rtol=0, atol=1e-4)
    assert encoder.family.class_name("masked_lm") == torch_run.CLASSES[name]


def _bert():
    folder = torch_run.CHECKPOINT
    encoder = Bert(**Bert.settings(huggingface.read_config(folder)), pooler=False)
    encoder.load(huggingface.read_tensors(folder))
    return encoder
