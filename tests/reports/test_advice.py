import pathlib

import pytest

from ftkeras.config.run import Config
from ftkeras.problems.classification import Classification
from ftkeras.reports import advice

PROBLEM = Classification(labels=("bad", "good"))
RUN = pathlib.Path("runs/a")


def _metrics(*, loss=0.2, accuracy=0.9, examples=2000, confusion=((5, 1), (1, 5))) -> dict:
    return {
        "train": {"last_loss": loss},
        "read": {"train": {"labels": [50, 50]}},
        "validation": {"accuracy": accuracy, "examples": examples},
        "confusion": confusion,
    }


def test_a_run_that_has_learned_gets_no_advice():
    assert advice.text(Config(epochs=3), _metrics(), PROBLEM, RUN) == ""


@pytest.mark.parametrize(
    ("settings", "loss", "is_noted"),
    [
        ({}, 0.68, True),
        ({}, 0.5, False),
        ({}, 3.0, False),  # diverged: a higher learning rate would not help
        ({"loss": "focal"}, 0.68, False),
        ({"class_weights": "balanced"}, 0.68, False),
        ({"regularizer": ("r_drop",)}, 0.68, False),
    ],
)
def test_loss_near_that_of_label_frequencies_has_hardly_moved(settings, loss, is_noted):
    text = advice.text(Config(**settings, epochs=3), _metrics(loss=loss), PROBLEM, RUN)
    assert ("find_rate --flagfile=runs/a/run.cfg" in text) == is_noted


def test_advice_about_a_private_run_names_no_verb_that_refuses_it():
    config = Config(epochs=3, private="dp_sgd(epsilon=8, delta=1e-5)")
    text = advice.text(config, _metrics(loss=0.68, examples=40), PROBLEM, RUN)
    assert "the noise of `private` may outweigh the gradients" in text
    assert "find_rate" not in text
    assert "crossvalidate" not in text


def test_advice_about_few_labels_names_no_verb_that_refuses_them():
    text = advice.text(Config(few_shot="contrastive"), _metrics(loss=0.68), PROBLEM, RUN)
    assert "try a higher `learning_rate` or more `epochs`" in text
    assert "find_rate" not in text


def test_model_that_always_predicts_one_label_is_noted():
    metrics = _metrics(confusion=((0, 6), (0, 6)))
    assert "note: the model always predicts 'good'" in advice.text(
        Config(epochs=3), metrics, PROBLEM, RUN
    )
    metrics = _metrics(confusion=((0, 0), (0, 12)))  # as it should, with such data
    assert advice.text(Config(epochs=3), metrics, PROBLEM, RUN) == ""


@pytest.mark.parametrize(
    ("examples", "epochs", "is_noted"), [(40, 3, True), (40, 1, False), (500, 3, False)]
)
def test_validation_too_small_to_rank_epochs_is_noted(examples, epochs, is_noted):
    metrics = _metrics(examples=examples)
    text = advice.text(Config(epochs=epochs), metrics, PROBLEM, RUN)
    assert (f"rank epochs (n = {examples})" in text) == is_noted
