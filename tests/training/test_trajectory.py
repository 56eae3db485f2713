"""A complete fine-tuning run equals that of PyTorch and transformers (make_trajectory.py)."""

import numpy as np
import pytest

from ftkeras import problems
from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.encoders.bert import Bert
from ftkeras.experiment import optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.heads.classification import Classification
from ftkeras.heads.multi_label import MultiLabel
from ftkeras.heads.multiple_choice import MultipleChoice
from ftkeras.heads.question_answering import QuestionAnswering
from ftkeras.heads.regression import Regression
from ftkeras.heads.similarity import Similarity
from ftkeras.heads.token_classification import TokenClassification
from ftkeras.training.finetuner import FineTuner
from tests.matrix import matrix
from tests.training import make_trajectory as torch_run

TOKENS = "trajectory_token_classification.npz"
# The head of each problem, and the problem, by the file of its reference.
CASES = {
    "trajectory.npz": (
        Classification(classes=torch_run.CLASSES, dropout=0.0),
        problems.find("classification")(labels="abc"),
    ),
    "trajectory_regression.npz": (
        Regression(outputs=torch_run.NUMBERS, dropout=0.0),
        problems.find("regression")(labels="ab"),
    ),
    "trajectory_multi_label.npz": (
        MultiLabel(outputs=torch_run.LABELS, dropout=0.0),
        problems.find("multi_label")(labels="abcd"),
    ),
    "trajectory_question_answering.npz": (
        QuestionAnswering(),
        problems.find("question_answering")(),
    ),
    "trajectory_multiple_choice.npz": (
        MultipleChoice(outputs=torch_run.OPTIONS, dropout=0.0),
        problems.find("multiple_choice")(labels="abcd"),
    ),
    "trajectory_similarity.npz": (Similarity(), problems.find("similarity")(labels="a")),
    "trajectory_positive_pairs.npz": (Similarity(), problems.find("positive_pairs")(labels="a")),
    TOKENS: (
        TokenClassification(classes=torch_run.TAGS, dropout=0.0),
        problems.find("token_classification")(labels=("O", "B-A", "I-A", "B-B", "I-B")),
    ),
}
SHIFTED = ("trajectory_question_answering.npz", "trajectory_multiple_choice.npz")
OF_LABELS = (
    "trajectory_multi_label.npz",
    "trajectory_multiple_choice.npz",
    "trajectory_similarity.npz",
)


@pytest.fixture(scope="module", params=matrix(CASES, default=["trajectory.npz"]))
def case(request):
    return request.param


@pytest.fixture(scope="module")
def expected(case):
    with np.load(torch_run.HERE / case) as arrays:
        return dict(arrays)


def _inputs(token_ids, targets):
    segments = {"segment_ids": torch_run.segment_ids(token_ids)}
    return {"token_ids": token_ids, **(segments if torch_run.is_span(targets) else {})}


@pytest.fixture(scope="module")
def trained(case, expected):
    """Return our model after the same steps, and the loss of each."""
    settings = Bert.settings(huggingface.read_config(torch_run.CHECKPOINT))
    off = {"dropout": 0.0, "attention_dropout": 0.0}
    head, problem = CASES[case]
    encoder = Bert(**{**settings, **off}, initial="zeros", pooler=head.needs_pooler)
    encoder.load(huggingface.read_tensors(torch_run.CHECKPOINT))
    model = FineTuner(encoder=encoder, head=head, pad_id=0)
    model({"token_ids": expected["token_ids"][0]})
    config = Config(
        loss=problem.loss,
        learning_rate=torch_run.RATE,
        warmup=str(torch_run.WARMUP),
        clip_norm=torch_run.CLIP_OF_LABELS if case in OF_LABELS else torch_run.CLIP,
        optimizer=f"adamw(decay={torch_run.DECAY})",
    )
    experiment = Experiment(config, None, problem, None, model)
    optimization.compile_to_train(experiment, total_steps=torch_run.STEPS)
    if head.weights:
        head.kernel.assign(expected["head_kernel"])
    losses = []
    for token_ids, labels in zip(expected["token_ids"], expected["labels"], strict=True):
        model.reset_metrics()
        inputs = _inputs(token_ids, labels)
        answers = (
            problem.collate(labels.ravel(), np.arange(labels.size)) if case == TOKENS else labels
        )
        figures = model.train_on_batch(inputs, answers, return_dict=True)
        losses.append(float(figures["loss"]))
    return model, losses


def test_loss_of_every_step_is_the_references(trained, expected):
    np.testing.assert_allclose(trained[1], expected["losses"], rtol=1e-4)


def test_trained_weights_are_the_references(case, trained, expected):
    model, _ = trained
    kernel = model.encoder.blocks[0].inner_kernel.numpy()
    np.testing.assert_allclose(kernel, expected["intermediate_kernel"], atol=2e-5)
    logits = np.array(model(_inputs(expected["token_ids"][0], expected["labels"][0])))
    logits = logits.reshape(expected["logits"].shape)
    # Of starts, ends and options, the loss does not depend on the bias, which follows rounding
    # alone.
    shift = [part - part.mean(axis=1, keepdims=True) for part in (logits, expected["logits"])]
    found, wanted = shift if case in SHIFTED else (logits, expected["logits"])
    np.testing.assert_allclose(found, wanted, atol=2e-4)
