import pytest

from ftkeras.config.durations import warmup_steps
from ftkeras.config.run import Config
from ftkeras.config.verbs import PredictConfig
from ftkeras.errors import UserError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("batch_tokens", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("validation_share", 1.0),
        ("max_length", 2),
        ("clip_norm", -1.0),
        ("train_examples", 1),
        ("early_stopping", 0),
        ("seed", -1),
        ("objective", "f1"),
        ("warmup", "a tenth"),
        ("warmup", "1.5"),
        ("warmup", "-3"),
    ],
)
def test_value_out_of_bounds_is_refused_naming_flag_and_value(field, value):
    with pytest.raises(UserError, match=f"`{field}`") as caught:
        Config(**{field: value})
    assert str(value) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_predict_refuses_no_texts_a_step():
    with pytest.raises(UserError, match="`batch_size`"):
        PredictConfig(batch_size=0)


def test_warmup_longer_than_the_run_is_refused():
    with pytest.raises(UserError, match="100.*run.*100 updates"):
        warmup_steps("100", total_steps=100)


@pytest.mark.parametrize(("warmup", "steps"), [("0", 0), ("7", 7), ("0.0", 0), ("0.25", 50)])
def test_warmup_is_a_count_or_a_share(warmup, steps):
    assert warmup_steps(warmup, total_steps=200) == steps


def test_no_export_is_asked_for_by_none():
    assert Config(export=("none",)).exports == ()
