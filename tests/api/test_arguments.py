"""Python values as the fields of a configuration have them, and errors that name arguments."""

import pathlib

import keras
import numpy as np
import pytest

import ftkeras
from ftkeras.api import arguments, configuring
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError


def _config(kind=Config, **given):
    return arguments.configuration(kind, arguments.expand_names("train", kind, given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"policy": "lora(rank=8)"}, ("lora(rank=8)",)),
        ({"policy": ["freeze", "lora(rank=8)"]}, ("freeze", "lora(rank=8)")),
        ({"epochs": np.int64(3)}, 3),
        ({"epochs": "auto"}, "auto"),
        ({"epochs": None}, "auto"),
        ({"learning_rate": 1}, 1.0),
        ({"warmup": 0.1}, "0.1"),
        ({"checkpoint_every": 500}, "500"),
        ({"jit_compile": True}, "true"),
        ({"run_dir": pathlib.Path("runs") / "a"}, "runs/a"),
        ({"class_weights": {"pos": 2.0}}, "{'pos': 2.0}"),
        ({"test": False}, False),
        ({"export": "none"}, ("none",)),
    ],
    ids=str,
)
def test_natural_values_are_taken(given, expected):
    assert getattr(_config(**given), next(iter(given))) == expected


def test_data_and_columns_describe_a_task():
    config = _config(
        train=["a.csv", pathlib.Path("b.csv")],
        test="c.csv",
        text_column=["title", "body, long"],
        label_names={1: "no", 2: "yes, sir"},
        label_column=0,
    )
    assert config.task == (
        "classification(train=('a.csv', 'b.csv'), test='c.csv', text=('title', 'body, long'), "
        "label='0', labels={'1': 'no', '2': 'yes, sir'})"
    )


def test_columns_leave_no_trace_beside_the_task():
    given = {"train": "a.csv", "text_column": ["title", "body"], "label_column": ["stars", "price"]}
    config = _config(**given)
    assert (config.data, config.text_column, config.label_column) == ((), None, None)
    assert "text=('title', 'body'), label='stars,price'" in config.task


def test_lists_may_be_arrays():
    names = ["World", "Sports"]
    expected = _config(data="a.csv", label_names=names, text_column=["title", "body"])
    columns = np.array(["title", "body"])
    assert _config(data="a.csv", label_names=np.array(names), text_column=columns) == expected
    policies = np.array(["full", "lora(rank=2)"], dtype=object)
    assert _config(policy=policies).policy == ("full", "lora(rank=2)")


def test_search_may_be_a_dict():
    search = _config(TuneConfig, search={"seed": "choice(1, 2)"}).search
    assert search == ("seed=choice(1, 2)",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": "x"}, "`epochs` must be an integer or auto. Received: 'x'."),
        ({"epochs": True}, "`epochs` must be an integer or auto. Received: True."),
        ({"clip_norm": "1"}, "`clip_norm` must be a number. Received: '1'."),
        ({"restart": 1}, "`restart` must be True or False. Received: 1."),
        ({"schedule": object}, "`schedule` must be a string, written as for the flag"),
        ({"policy": 3}, "`policy` must be a string or a list of strings, written as for"),
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: 0."),
    ],
    ids=str,
)
def test_wrong_value_names_the_argument(given, message):
    with pytest.raises(UserError, match=f"^{message}".replace("(", r"\(")):
        _config(**given)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("lr", "; did you mean learning_rate?"),
        ("weight_decay", '; use optimizer="adamw(decay=…)".'),
        ("rank", '; it is a key: policy="lora(rank=…)".'),
    ],
)
def test_unknown_argument_names_the_nearest(name, advice):
    with pytest.raises(TypeError) as caught:
        ftkeras.train("a.csv", **{name: 1})
    assert str(caught.value) == f"train() has no argument {name!r}{advice}"


def test_single_callback_needs_no_list():
    one = keras.callbacks.EarlyStopping()
    assert arguments.callbacks(one) == arguments.callbacks([one]) == (one,)
    assert arguments.callbacks(None) == ()
    for wrong in (keras.callbacks.EarlyStopping, [keras.callbacks.EarlyStopping], "early"):
        with pytest.raises(UserError, match="`callbacks` must be instances of .* Received: ['<]"):
            arguments.callbacks(wrong)


def test_argument_given_under_two_names_is_refused():
    with pytest.raises(TypeError, match="takes `train` or `data`, not both"):
        ftkeras.train("a.csv", train="b.csv")


@pytest.mark.parametrize("verb", ["train", "pretrain", "crossvalidate", "tune"])
def test_data_that_is_none_is_refused(verb):
    function, wrong = getattr(ftkeras, verb), {"epochs": "x", "verbose": 0}
    for name in ("data", "train"):
        with pytest.raises(UserError, match=f"`{name}` must be files or examples. Received: None"):
            function(**{name: None}, task="imdb", **wrong)
    with pytest.raises(UserError, match="`data` must be files or examples. Received: None"):
        function(None, **wrong)
    with pytest.raises(UserError, match="`epochs` must be an integer"):  # the data may be omitted
        function(task="imdb", **wrong)


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("train", "train((texts, labels))"),
        ("pretrain", "pretrain((texts, labels))"),
        ("evaluate", "evaluate(run, (texts, labels))"),
        ("report", "report(run, (texts, labels))"),
        ("crossvalidate", "crossvalidate((texts, labels))"),
        ("tune", "tune((texts, labels))"),
    ],
)
def test_labels_beside_the_data_are_shown_as_a_pair(verb, call):
    given = ("runs/a",) if "run, " in call else ()
    with pytest.raises(TypeError) as caught:
        getattr(ftkeras, verb)(*given, ["a film"], ["good"])
    assert str(caught.value) == (
        f"{verb}() takes texts and labels as a pair, {call}, and all other settings by name."
    )


def test_folder_of_a_run_is_recorded_as_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"data": {"text": ["a"], "label": ["b"]}, "run_dir": tmp_path / "run"}
    with configuring.configured(Config, given, home="run_dir") as config:
        assert str(tmp_path / "run" / "data" / "train.jsonl") in config.task
