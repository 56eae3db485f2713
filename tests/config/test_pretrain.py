"""The configuration of `pretrain`."""

import pytest

from ftkeras.config import flagfile
from ftkeras.config.pretrain import PretrainConfig, task_of_texts
from ftkeras.config.run import Config
from ftkeras.errors import UserError

NEW = "bert(layers=2, hidden=32, heads=2)"


def test_run_is_that_of_the_texts_of_the_task(tmp_path):
    config = PretrainConfig(task="imdb", masking="words(rate=0.2)", epochs=2).run_config()
    assert type(config) is Config
    assert config.task == "masked_lm(of='imdb', masking='words(rate=0.2)')"
    assert (config.loss, config.objective) == ("cross_entropy", "loss")
    assert (config.test, config.export) == (False, ("huggingface",))
    (tmp_path / "run.cfg").write_text(flagfile.render(config))
    assert flagfile.read(tmp_path / "run.cfg", Config) == config


def test_columns_of_labels_are_dropped_and_both_texts_of_a_pair_read():
    task = "classification(train='a.csv', text=('b', 'c'), pair='d', label='e', labels='x,y')"
    found = task_of_texts(task, masking="tokens")
    assert found == "masked_lm(train='a.csv', text=('b', 'c', 'd'), masking='tokens')"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"vocabulary_size": 1000}, "vocabulary_size=1000 is for an encoder with random weights"),
        ({"vocabulary_size": 1000, "encoder": "some/checkpoint"}, "with random weights"),
        (
            {
                "vocabulary_size": 1000,
                "encoder": "bert(layers=1, hidden=16, heads=2)",
                "private": "dp_sgd(epsilon=3, delta=1e-5)",
            },
            "a vocabulary made from the texts would reveal their words",
        ),
        ({"vocabulary_size": 100, "encoder": NEW}, "`vocabulary_size` must be at least 300"),
        ({"pretrain_epochs": 2}, "pretrain does not take `pretrain_epochs`: use `epochs`"),
        ({"task": "imdb(data_dir='x')"}, "needs a task on files, or one without keys"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(given, message):
    with pytest.raises(UserError, match=message) as caught:
        PretrainConfig(**given)
    assert "\n" not in str(caught.value)


def test_vocabulary_is_trained_for_an_encoder_with_random_weights():
    config = PretrainConfig(encoder=NEW, vocabulary_size=1000)
    assert config.encoder == f"{NEW[:-1]}, vocabulary='(trained)')"
    assert PretrainConfig(encoder="roberta", vocabulary_size=500).encoder.startswith("roberta(")


@pytest.mark.parametrize(
    "given",
    [
        {"class_weights": "balanced"},
        {"calibrate": True},
        {"few_shot": "contrastive"},
        {"self_training": "rounds", "unlabelled": ("a.csv",)},
        {"teacher": ("runs/a",), "regularizer": ("distill",)},
    ],
    ids=lambda given: next(iter(given)),
)
def test_flags_about_labels_are_for_train(given):
    message = f"pretrain does not take `{next(iter(given))}`: it reads no labels"
    with pytest.raises(UserError, match=message):
        PretrainConfig(**given)


def test_flags_about_labels_in_the_data_are_reported_and_have_no_effect(caplog):
    caplog.set_level("INFO")
    labels = {"label_column": "stars", "label_names": "bad,good", "label_separator": ";"}
    own = {"data": ("a.csv",), "text_column": "review"}
    assert PretrainConfig(**own, **labels) == PretrainConfig(**own)
    (note,) = caplog.messages
    assert "`label_column`, `label_names`, `label_separator`" in note
