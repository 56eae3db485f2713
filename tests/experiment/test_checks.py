"""Combinations of parts that are refused before anything heavy is loaded."""

import pytest

from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import checks


@pytest.mark.parametrize("objective", ["f1", "mcc", "loss"])
def test_objective_is_any_metric(objective):
    checks.check(Config(objective=objective))


def test_unknown_objective_is_refused_with_the_metrics_to_choose_from():
    with pytest.raises(UserError, match="`objective` must be accuracy, loss, .*: 'f2'") as caught:
        checks.check(Config(objective="f2"))
    assert "balanced_accuracy" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "meant"),
    [({"objective": "f1_macro"}, "macro_f1"), ({"precision": "bf16"}, "mixed_bfloat16")],
)
def test_value_that_was_probably_meant_is_suggested(settings, meant):
    with pytest.raises(UserError, match=f"; did you mean {meant}[?] Received: '"):
        checks.check(Config(**settings))


TAGGED = {"task": "token_classification(train='words.conll')"}


def test_head_brings_its_loss():
    assert Config(head="crf(dropout=0.2)", **TAGGED).loss == "crf"
    assert Config(**TAGGED).loss == "cross_entropy"
    checks.check(Config(head="crf", **TAGGED))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"loss": "focal"},
            "loss=focal can't be used with a named entity recognizer with head=crf; use",
        ),
        (
            {"regularizer": ("r_drop",)},
            "regularizer=r_drop can't be used with head=crf: it compares",
        ),
        ({"task": "imdb"}, "head=crf can't be used with a text classifier; use classification."),
        (
            {"head": None, "loss": "crf"},
            "loss=crf can't be used with a named entity .*cross_entropy",
        ),
    ],
)
def test_what_does_not_fit_a_chain_is_refused_by_name(fields, message):
    with pytest.raises(UserError, match=message):
        checks.check(Config(**{"head": "crf", **TAGGED, **fields}))
