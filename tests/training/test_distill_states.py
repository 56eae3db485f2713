"""Matching a teacher's states equals a loop in PyTorch (make_distill_states.py), step by step."""

import numpy as np
import pytest

from ftkeras import problems
from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.encoders.bert import Bert
from ftkeras.experiment import optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.heads.classification import Classification
from ftkeras.regularizers import Step
from ftkeras.regularizers.distill_states import DistillStates
from ftkeras.training.finetuner import FineTuner
from tests.matrix import matrix
from tests.training import make_trajectory as torch_run
from tests.training.make_distill_states import MATCHES, WEIGHT


@pytest.fixture(scope="module", params=matrix(MATCHES, default=["attention"]))
def expected(request):
    with np.load(torch_run.HERE / f"distill_states_{request.param}.npz") as arrays:
        return {"match": request.param, **arrays}


def _encoder(tensors, layers=1, **settings):
    own = Bert.settings(huggingface.read_config(torch_run.CHECKPOINT))
    own |= {"dropout": 0.0, "attention_dropout": 0.0, "initial": "zeros", **settings}
    encoder = Bert(**{**own, "layers": own["layers"] * layers})
    encoder.load(tensors)
    return encoder


@pytest.fixture(scope="module")
def trained(expected):
    """Return our model after the same steps, and the loss of each."""
    term = DistillStates(match=expected["match"], weight=WEIGHT)
    model = FineTuner(
        encoder=_encoder(huggingface.read_tensors(torch_run.CHECKPOINT)),
        head=Classification(classes=torch_run.CLASSES, dropout=0.0),
        pad_id=0,
        make_step=Step,
        regularizers=[term],
    )
    tensors = {n.removeprefix("teacher."): t for n, t in expected.items() if "teacher." in n}
    term.attach(model)
    term.use_teacher(_encoder(tensors, layers=2))
    problem = problems.find("classification")(labels="abc")
    config = Config(
        learning_rate=torch_run.RATE,
        warmup=str(torch_run.WARMUP),
        clip_norm=torch_run.CLIP,
        optimizer=f"adamw(decay={torch_run.DECAY})",
    )
    experiment = Experiment(config, None, problem, None, model)
    optimization.compile_to_train(experiment, total_steps=torch_run.STEPS)
    model.head.kernel.assign(expected["head_kernel"])
    losses = []
    for token_ids, labels in zip(expected["token_ids"], expected["labels"], strict=True):
        model.reset_metrics()
        figures = model.train_on_batch({"token_ids": token_ids}, labels, return_dict=True)
        losses.append(float(figures["loss"]))
    return model, losses


def test_loss_of_every_step_is_the_references(trained, expected):
    np.testing.assert_allclose(trained[1], expected["losses"], rtol=1e-4)


def test_trained_weights_are_the_references(trained, expected):
    model, _ = trained
    kernel = model.encoder.blocks[0].inner_kernel.numpy()
    np.testing.assert_allclose(kernel, expected["intermediate_kernel"], atol=2e-5)
    logits = np.array(model({"token_ids": expected["token_ids"][0]}))
    np.testing.assert_allclose(logits, expected["logits"], atol=2e-4)


def test_the_teacher_is_no_part_of_the_model(trained):
    model, _ = trained
    names = [variable.path for variable in model.variables]
    assert len(names) == len(set(names))
    assert len(model.encoder.blocks) == len(
        {n for n in names if n.endswith("attention_qkv_kernel")}
    )
