"""A fine-tuned checkpoint's classifier starts the head where its labels match."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from keras import Variable, ops
from safetensors.numpy import load_file, save_file

from ftkeras import encoders
from ftkeras.config.run import Config
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from ftkeras.experiment import classifier
from ftkeras.problems.classification import Classification
from ftkeras.problems.multi_label import MultiLabel
from tests.encoders.golden import FIXTURES

SOURCE = FIXTURES / "gelu"
HIDDEN = 16
KERNEL = np.arange(2 * HIDDEN, dtype="float32").reshape(2, HIDDEN) / 100
BIAS = np.array([0.5, -0.5], "float32")


@pytest.fixture
def folder(tmp_path):
    """Return a fine-tuned checkpoint with the labels neg and pos."""
    shutil.copytree(SOURCE, tmp_path / "tuned")
    return change(tmp_path / "tuned", id2label={"0": "neg", "1": "pos"})


def change(folder, **config):
    content = json.loads((folder / "config.json").read_text())
    content |= {"architectures": ["BertForSequenceClassification"], **config}
    (folder / "config.json").write_text(json.dumps(content))
    tensors = load_file(folder / "model.safetensors")
    save_file(
        {**tensors, "classifier.weight": KERNEL, "classifier.bias": BIAS},
        folder / "model.safetensors",
    )
    return folder


def start(folder, labels, head=None):
    """Return the head after it was started."""
    config = Config(task="imdb", encoder=str(folder or "bert"), head=head)
    made = classifier.build_head(config, "classification", outputs=len(labels))
    made.build({"first": (None, HIDDEN)})
    settings = Bert.settings(json.loads((SOURCE / "config.json").read_text()))
    model = SimpleNamespace(head=made, encoder=Bert(**settings, initial="zeros"))
    classifier.start_head(config, model, Classification(labels=labels), folder)
    return made


def is_checkpoints(head, rows=(0, 1)):
    kernel, bias = map(ops.convert_to_numpy, (head.kernel, head.bias))
    return np.array_equal(kernel, KERNEL[list(rows)].T) and np.array_equal(bias, BIAS[list(rows)])


def test_matching_labels_take_their_rows(folder, caplog):
    caplog.set_level("INFO")
    assert is_checkpoints(start(folder, ["neg", "pos"]))
    assert is_checkpoints(start(folder, ["pos", "neg"]), rows=(1, 0))
    assert is_checkpoints(start(folder, ["Pos", "NEG"], head="checkpoint"), rows=(1, 0))
    assert "the checkpoint's classifier, for the labels neg, pos" in caplog.text


def test_new_head_is_new_and_reported(folder, caplog):
    caplog.set_level("INFO")
    assert not is_checkpoints(start(folder, ["neg", "pos"], head="new"))
    assert not is_checkpoints(start(folder, ["neg", "pos"], head="classification(start='new')"))
    assert "new, as asked for" in caplog.text


@pytest.mark.parametrize(
    ("config", "labels", "head", "message"),
    [
        ({}, ["no", "yes"], "classification", "its labels are neg, pos"),
        ({}, ["neg", "pos", "other"], "classification", "its labels are neg, pos"),
        ({"id2label": None}, ["neg", "pos"], "classification", "labels are LABEL_0, LABEL_1"),
        (
            {"architectures": ["BertForTokenClassification"]},
            ["neg", "pos"],
            "classification",
            "config.json has BertForTokenClassification",
        ),
        (
            {"problem_type": "multi_label_classification"},
            ["neg", "pos"],
            "classification",
            "problem_type is multi_label_classification",
        ),
        ({}, ["neg", "pos"], "classification(pooling='cls')", "pooling='cls'"),
    ],
)
def test_classifier_that_does_not_fit_is_reported_or_refused(
    folder, caplog, config, labels, head, message
):
    caplog.set_level("INFO")
    change(folder, **config)
    assert not is_checkpoints(start(folder, labels, head))
    assert message in caplog.text
    demanded = f"{head[:-1]}, start='checkpoint')" if "(" in head else "checkpoint"
    if config != {"id2label": None}:
        with pytest.raises(UserError, match="head=checkpoint") as caught:
            start(folder, labels, demanded)
        assert message in str(caught.value)


def test_labels_without_names_are_taken_by_id_if_demanded(folder):
    change(folder, id2label=None)
    assert is_checkpoints(start(folder, ["neg", "pos"], head="checkpoint"))


@pytest.mark.parametrize("source", [SOURCE, None])
def test_checkpoint_without_classifier_is_refused_if_demanded(source):
    assert not is_checkpoints(start(source, ["neg", "pos"]))
    with pytest.raises(UserError, match="has no classifier; use head=new"):
        start(source, ["neg", "pos"], head="checkpoint")


def test_unknown_start_is_refused():
    with pytest.raises(UserError, match="`start` must be auto, checkpoint, new"):
        start(None, ["neg", "pos"], head="classification(start='old')")


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"architectures": ["BertModel"]}, "bert"),
        ({"architectures": ["BertForSequenceClassification"]}, "bert"),
        ({"architectures": ["ReformerModel"]}, "roberta"),
        ({}, "roberta"),
    ],
)
def test_model_type_is_inferred_from_architectures(tmp_path, config, name):
    assert encoders.family_name(config, tmp_path, "roberta") == name


@pytest.mark.parametrize(
    ("bias", "private", "started"),
    [
        pytest.param([0, 0], None, True, id="a new head"),
        pytest.param([0.5, -0.5], None, False, id="a checkpoint's classifier"),
        pytest.param([0, 0], "dp_sgd(noise=1, delta=1e-5)", False, id="a private run"),
    ],
)
def test_bias_of_a_new_head_starts_from_the_shares_of_the_labels(bias, private, started, caplog):
    problem, variable = MultiLabel(labels=["joy", "grief"]), Variable(np.array(bias, "float32"))
    experiment = SimpleNamespace(
        config=SimpleNamespace(private=private),
        problem=problem,
        model=SimpleNamespace(head=SimpleNamespace(bias=variable)),
    )
    targets = np.array([[1, 0], [1, 1], [1, 0]])
    caplog.set_level("INFO")
    classifier.start_bias(experiment, targets)
    np.testing.assert_array_equal(variable, problem.prior(targets) if started else bias)
    assert ("its bias starts from the share of each label" in caplog.text) == started
