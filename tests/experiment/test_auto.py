import dataclasses
import logging
from types import SimpleNamespace

import pytest

from ftkeras.config.run import Config
from ftkeras.experiment import auto
from ftkeras.experiment.definition import Experiment
from ftkeras.policies.full import Full
from ftkeras.policies.layerwise import Layerwise
from ftkeras.policies.lora import LoRA

PRETRAINED, RANDOM = "some/checkpoint", "bert(layers=2, hidden=96, vocabulary='v.txt')"


def _experiment(*, hidden: int = 768, policies: tuple = (), **given) -> Experiment:
    model = SimpleNamespace(encoder=SimpleNamespace(hidden=hidden))
    config = Config(**{"encoder": PRETRAINED, **given})
    return Experiment(config, None, None, None, model, policies or (Full(),))


def _settled(experiment: Experiment, *, examples: int = 10_000, updates: int = 625) -> Config:
    return auto.settle(experiment, examples=examples, updates=updates).config


@pytest.mark.parametrize(
    ("hidden", "published"),
    [
        (128, (1e-4, 3e-4)),  # Turc et al., 2019
        (256, (1e-4, 3e-4)),
        (512, (5e-5, 1e-4)),
        (768, (2e-5, 5e-5)),  # Devlin et al., 2019
        (1024, (1e-5, 3e-5)),
    ],
)
def test_learning_rate_of_a_checkpoint_is_in_the_published_range(hidden, published):
    low, high = published
    assert low <= auto.choose_learning_rate(hidden, 16, pretrained=True) <= high
    assert low <= auto.choose_learning_rate(hidden, 32, pretrained=True) <= 1.5 * high


def test_learning_rate_falls_with_width_and_rises_with_the_batch_within_bounds():
    for pretrained, (low, high) in ((True, (1e-5, 3e-4)), (False, (1e-4, 1e-3))):
        by_width = [
            auto.choose_learning_rate(w, 16, pretrained=pretrained) for w in (1, 96, 768, 9999)
        ]
        assert by_width == sorted(by_width, reverse=True)
        assert (by_width[0], by_width[-1]) == (high, low if pretrained else 1.1e-4)
        by_batch = [
            auto.choose_learning_rate(768, b, pretrained=pretrained) for b in (1, 4, 16, 64, 9999)
        ]
        assert by_batch == sorted(by_batch)
        assert by_batch[0] == by_batch[1]  # a batch of one is no smaller than one of four


def test_epochs_make_up_for_few_examples_within_bounds():
    assert [auto.choose_epochs(n, pretrained=True) for n in (1, 13, 25, 84, 10**6)] == [
        *(20, 10, 5, 3, 3)
    ]
    assert auto.choose_epochs(100, pretrained=False) == 10


def test_choice_and_its_reason_are_one_line(caplog):
    caplog.set_level(logging.INFO, "ftkeras")
    config = _settled(_experiment(hidden=384), examples=360, updates=23)
    assert (config.learning_rate, config.epochs) == (1.6e-4, 6)
    assert caplog.messages == [
        "learning_rate=1.6e-04 (auto: hidden 384, pretrained, batches of 16), "
        "epochs=6 (auto: 360 examples, 23 updates an epoch)"
    ]


def test_values_that_are_given_win_and_are_not_reported(caplog):
    caplog.set_level(logging.INFO, "ftkeras")
    given = _experiment(learning_rate=1e-3, epochs=2)
    assert auto.settle(given, examples=10, updates=1) is given
    assert not caplog.messages
    config = _settled(_experiment(epochs=2))
    assert (config.learning_rate, config.epochs) == (4e-5, 2)
    config = _settled(_experiment(learning_rate=1e-3))
    assert (config.learning_rate, config.epochs) == (1e-3, 3)


@pytest.mark.parametrize(
    ("given", "policies", "learning_rate"),
    [
        ({"policy": ("lora", "layerwise")}, (LoRA(), Layerwise()), 4e-4),
        ({"optimizer": "lion"}, (), 8e-6),
        ({"batch_size": 64}, (), 8e-5),
        ({"batch_tokens": 4096, "batch_size": None}, (), 4e-5),  # 16 examples in the mean
        ({"encoder": RANDOM, "hidden": 96}, (), 1e-3),
    ],
)
def test_learning_rate_depends_on_what_trains_and_how(given, policies, learning_rate):
    assert _settled(_experiment(**given, policies=policies)).learning_rate == learning_rate


def test_optimizer_without_a_known_factor_is_warned_about(caplog):
    _settled(_experiment(optimizer="sgd"))
    (message,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "not for sgd; use find_rate" in message


def test_only_auto_is_filled_in():
    config = Config(epochs=7)
    assert auto.fill(config, learning_rate=0.5, epochs=3) == dataclasses.replace(
        config, learning_rate=0.5
    )
