"""Distillation equals that of a loop in PyTorch (make_distillation.py), step by step."""

import functools

import numpy as np
import pytest
from scipy.special import expit, softmax

from ftkeras import problems
from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.encoders.bert import Bert
from ftkeras.experiment import optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.heads.classification import Classification
from ftkeras.heads.multi_label import MultiLabel
from ftkeras.heads.question_answering import QuestionAnswering
from ftkeras.heads.regression import Regression
from ftkeras.heads.token_classification import TokenClassification
from ftkeras.regularizers import Step
from ftkeras.regularizers.distill import Distill
from ftkeras.training.finetuner import FineTuner
from tests.matrix import matrix
from tests.training import make_trajectory as torch_run
from tests.training.make_distillation import CLIP, OUTPUTS, TEMPERATURE, WEIGHT

# The head, the problem, and what makes answers of a teacher's logits.
CASES = {
    "classification": (Classification, "abc", softmax),
    "regression": (Regression, "ab", np.asarray),
    "multi_label": (MultiLabel, "abcd", expit),
    "token_classification": (TokenClassification, ("O", "B-A", "I-A", "B-B", "I-B"), softmax),
    "question_answering": (QuestionAnswering, ("start", "end"), softmax),
}


@pytest.fixture(scope="module", params=matrix(CASES, default=["classification"]))
def case(request):
    return request.param


@pytest.fixture(scope="module")
def expected(case):
    with np.load(torch_run.HERE / f"distillation_{case}.npz") as arrays:
        return dict(arrays)


def _model(head, problem):
    settings = Bert.settings(huggingface.read_config(torch_run.CHECKPOINT))
    off = {"dropout": 0.0, "attention_dropout": 0.0}
    encoder = Bert(**{**settings, **off}, initial="zeros", pooler=head.needs_pooler)
    encoder.load(huggingface.read_tensors(torch_run.CHECKPOINT))
    return FineTuner(
        encoder=encoder,
        head=head,
        pad_id=0,
        make_step=functools.partial(Step, soft_loss=problem.soft_loss),
        regularizers=[Distill(temperature=TEMPERATURE, weight=WEIGHT)],
    )


def _inputs(token_ids, expected):
    is_span = torch_run.is_span(expected["labels"][0])
    segments = {"segment_ids": torch_run.segment_ids(token_ids)} if is_span else {}
    return {"token_ids": token_ids, **segments}


def _answers(step, expected, activate, problem):
    """Return the answers of a batch as a feed gives them."""
    labels, labelled, logits, taught = (
        expected[name][step] for name in ("labels", "labelled", "teacher", "taught")
    )
    units = labelled.size if labelled.ndim == taught.ndim == 2 else None
    taught = taught.ravel()
    labelled = np.broadcast_to(labelled, expected["taught"][step].shape).ravel()
    values = logits.reshape(len(taught), -1)
    values = activate(values, axis=-1) if activate is softmax else activate(values)
    teacher = TeacherAnswers(
        values=problem.soft_targets(values.astype("float32")),
        index=np.where(taught, np.arange(len(taught)), -1),
        labelled=labelled,
        teacher="",
    )
    targets = labels.ravel() if units or labels.ndim == 1 else labels
    every = np.arange(len(taught))
    return teacher.add_to(problem.collate(targets, every), every)


def _span_answers(step, expected, problem):
    """Return the same for questions, whose answers are probabilities of tokens."""
    labels, labelled, logits, taught = (
        expected[name][step] for name in ("labels", "labelled", "teacher", "taught")
    )
    is_token = expected["token_ids"][step] != 0
    values = softmax(np.where(is_token[..., None], logits, -1e4), axis=1)
    every, length = np.arange(len(taught)), is_token.shape[1]
    teacher = TeacherAnswers(
        values=values.reshape(-1, 2).astype("float32"),
        index=np.where(taught, every * length, -1),
        labelled=labelled,
        teacher="",
        of_places=True,
    )
    places = np.where(is_token, np.arange(length), -1)
    return teacher.add_to(problem.collate(labels, every), every, places)


@pytest.fixture(scope="module")
def trained(case, expected):
    """Return our model after the same steps, and the loss of each."""
    make_head, labels, activate = CASES[case]
    problem = problems.find(case)(labels=labels)
    size = {"classes" if activate is softmax else "outputs": OUTPUTS[case]}
    size = {} if case == "question_answering" else size
    model = _model(make_head(**size, dropout=0.0), problem)
    config = Config(
        loss=problem.loss,
        learning_rate=torch_run.RATE,
        warmup=str(torch_run.WARMUP),
        clip_norm=CLIP,
        optimizer=f"adamw(decay={torch_run.DECAY})",
    )
    experiment = Experiment(config, None, problem, None, model)
    optimization.compile_to_train(experiment, total_steps=torch_run.STEPS)
    model.head.kernel.assign(expected["head_kernel"])
    losses = []
    for step, token_ids in enumerate(expected["token_ids"]):
        model.reset_metrics()
        if case == "question_answering":
            answers = _span_answers(step, expected, problem)
        else:
            answers = _answers(step, expected, activate, problem)
        inputs = _inputs(token_ids, expected)
        figures = model.train_on_batch(inputs, answers, return_dict=True)
        losses.append(float(figures["loss"]))
    return model, losses


def test_loss_of_every_step_is_the_references(trained, expected):
    np.testing.assert_allclose(trained[1], expected["losses"], rtol=1e-4)


def test_trained_weights_are_the_references(case, trained, expected):
    model, _ = trained
    kernel = model.encoder.blocks[0].inner_kernel.numpy()
    np.testing.assert_allclose(kernel, expected["intermediate_kernel"], atol=2e-5)
    logits = np.array(model(_inputs(expected["token_ids"][0], expected)))
    wanted = expected["logits"].reshape(logits.shape)
    is_token = np.ones(len(logits), bool)
    if expected["logits"].ndim == 3:
        is_token = (expected["token_ids"][0] != 0).reshape(logits.shape[:-1])
    found, wanted = logits[is_token], wanted[is_token]
    if case == "question_answering":  # softmax ignores the bias, whose gradient is rounding noise
        found, wanted = found - found[0], wanted - wanted[0]
    np.testing.assert_allclose(found, wanted, atol=2e-4)
