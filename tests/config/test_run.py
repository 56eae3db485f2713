import dataclasses

import pytest

from ftkeras.cli import commands
from ftkeras.cli.commands import VERBS
from ftkeras.config import flagfile
from ftkeras.config.durations import warmup_steps
from ftkeras.config.predict import PredictConfig
from ftkeras.config.run import Config
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
        ("seed", 2**32),
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


@pytest.mark.parametrize(
    ("warmup", "steps"), [("0", 0), ("7", 7), ("0.0", 0), ("0.25", 50), ("0.999", 199)]
)
def test_warmup_is_a_count_or_a_share(warmup, steps):
    assert warmup_steps(warmup, total_steps=200) == steps


def test_no_export_is_asked_for_by_none():
    assert Config(export=("none",)).exports == ()


def test_none_revokes_what_is_before_it_as_in_a_flagfile():
    assert Config(export=("saved_model", "none")).exports == ()
    assert Config(export=("saved_model", "none", "onnx")).exports == ("onnx",)
    assert Config(track=("tensorboard", "none", "mlflow")).trackers == ("mlflow",)


def _path_fields(config: type) -> dict[str, object]:
    """Return a value below `~` for each field that names files or folders."""
    kinds = flagfile.value_types(config)
    fields = [f for f in dataclasses.fields(config) if f.metadata.get("path")]
    several = {f.name: kinds.get(f.name, tuple) is tuple for f in fields}
    return {name: ("~/x.csv", "~/y.csv") if many else "~/x.csv" for name, many in several.items()}


# What else a verb needs.
NEEDED = {"push": {"repo": "me/model"}, "explain": {"text": ("a",)}}


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"launch"}))  # launch names no files
def test_home_directory_is_expanded_in_every_path(verb, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    config = VERBS[verb].config
    given = {
        n: v
        for n, v in _path_fields(config).items()
        if (verb not in ("tune", "explain") or n != "run_dir")
        and (verb != "pretrain" or n not in ("teacher", "unlabelled"))
    }
    taught = {"regularizer": ("distill",)} if "teacher" in given else {}
    built = config(**given, **taught, **NEEDED.get(verb, {}))
    for name in given:
        is_task = "data" in name and name != "data_dir" and hasattr(built, "task")
        shown = built.task if is_task else str(getattr(built, name))
        assert "~" not in shown
        assert "/home/me/x.csv" in shown


def test_unknown_home_directory_stays_as_it_is():
    assert Config(run_dir="~nobody-of-this-name/x").run_dir == "~nobody-of-this-name/x"


def test_every_flag_that_names_files_is_expanded():
    ends = ("_dir", "data", "input", "output", "model", "encoder")
    for verb in VERBS.values():
        named = [f for f in commands.flag_fields(verb.config) if f.name.endswith(ends)]
        assert all(field.metadata["path"] for field in named)


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_name_is_that_of_one_folder(name):
    with pytest.raises(UserError, match="`name` must name one folder"):
        Config(name=name)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"text": ("a",), "input": "x.csv"}, "`text` or `input`, not both"),
        ({"text": ("a", "b"), "pair": ("c",)}, "`pair` must be given once for each `text`"),
        ({"output": "answers.xlsx"}, r"`output` must end in .csv, .jsonl or .parquet. Received"),
        ({"output": "a.csv", "json": True}, "`json` is for standard output"),
    ],
)
def test_predict_refuses_what_contradicts(given, message):
    with pytest.raises(UserError, match=message):
        PredictConfig(**given)
