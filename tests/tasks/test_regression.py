"""Numbers in the user's own files."""

import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.config.own_data import evaluation_task
from ftkeras.config.run import Config
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.errors import UserError
from ftkeras.experiment import checks, inferred_task
from ftkeras.tasks.classification import Classification
from ftkeras.tasks.regression import Regression

ROWS = "".join(f"text number {n},{n / 4},{n}\n" for n in range(60))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "train.csv").write_text(f"text,score,price\n{ROWS}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _numbers(task) -> list[list[float]]:
    with reraise_user_errors():
        return [row["label"].tolist() for row in task.splits()["train"].as_numpy_iterator()]


def test_a_column_is_one_output(folder):
    task = Regression(train="train.csv", text="text", label="score")
    assert task.labels == ("score",)
    assert _numbers(task)[:3] == [[0.0], [0.25], [0.5]]
    assert task.columns["label"] == "score"


@pytest.mark.parametrize("label", ["price, score", ("price", "score")])
def test_several_columns_are_an_output_each(folder, label):
    task = Regression(train="train.csv", text="text", label=label)
    assert task.labels == task.problem().names == ("price", "score")
    assert _numbers(task)[2] == [2.0, 0.5]
    assert task.columns["label"] == ["price", "score"]


@pytest.mark.parametrize("label", ["price, USD", ("price, USD",)])
def test_column_with_a_comma_in_its_name_is_one_column(folder, label):
    (folder / "train.csv").write_text(f'text,"price, USD",price\n{ROWS}')
    task = Regression(train="train.csv", text="text", label=label)
    assert task.labels == ("price, USD",)
    assert _numbers(task)[:2] == [[0.0], [0.25]]
    assert (
        Regression(train="train.csv", text="text", label=task.columns["label"]).labels
        == task.labels
    )


@pytest.mark.parametrize(
    ("value", "shown"), [("nan", "'nan'"), ("", "no number"), ("3,5", "'3,5'"), ("inf", "'inf'")]
)
def test_what_is_no_number_is_refused_with_its_line(folder, value, shown):
    (folder / "train.csv").write_text(f'text,score\na,1\nb,"{value}"\nc,2\n')
    task = Regression(train="train.csv", text="text", label="score")
    with pytest.raises(UserError, match=f"line 3 of 'train.csv': .* finite number.*: {shown}"):
        _numbers(task)


def test_decimal_comma_is_refused_with_a_remedy(folder):
    (folder / "train.csv").write_text('text,score\na,1\nb,"3,5"\n')
    task = Regression(train="train.csv", text="text", label="score")
    with pytest.raises(UserError, match="such as 3.5, with a decimal point. Received: '3,5'"):
        _numbers(task)


def test_what_float32_cannot_hold_is_refused_with_its_line(folder):
    (folder / "train.csv").write_text("text,score\na,1\nb,-1e300\nc,2\n")
    task = Regression(train="train.csv", text="text", label="score")
    with pytest.raises(UserError, match=r"line 3 of 'train.csv': .* 3\.4e\+38 .*: '-1e300'"):
        _numbers(task)


def test_scale_is_checked_and_passed_on(folder):
    with pytest.raises(ValueError, match="`scale` must be one of standard, none"):
        Regression(train="train.csv", scale="log")
    problem = Regression(train="train.csv", text="text", label="score", scale="none").problem()
    problem.fit(np.array([[1.0], [5.0]]))
    assert problem.state() == {
        "problem": "regression",
        "scale": "none",
        "mean": [0.0],
        "sd": [1.0],
    }


def test_many_numbers_are_read_as_regression_and_reported(folder, capsys):
    config = inferred_task.resolve(
        Config(data=("train.csv",), text_column="text", label_column="score")
    )
    assert catalog.parse("task", config.task).name == "regression"
    assert (config.loss, config.objective) == ("mean_squared_error", "spearman")
    shown = capsys.readouterr().out
    assert "task    regression, as the labels of 'train.csv' are many" in shown
    assert "its loss is mean_squared_error, its objective is spearman" in shown
    checks.check(config)
    assert inferred_task.resolve(config) == config


def test_several_label_columns_are_read_as_regression(folder):
    config = Config(data=("train.csv",), text_column="text", label_column="score,price")
    config = inferred_task.resolve(config)
    assert catalog.build("task", config.task).labels == ("score", "price")


def test_listed_labels_and_few_values_stay_classes(folder):
    (folder / "few.csv").write_text("text,label\n" + "a b c,1\nd e f,2\n" * 20)
    assert Classification(train="few.csv").better_task() is None
    assert Classification(train="train.csv", labels="1,2", label="score").better_task() is None


def test_defaults_are_those_of_the_problem():
    assert (Config().loss, Config().objective) == ("cross_entropy", "accuracy")
    config = Config(task="regression(train='x.csv')")
    assert (config.loss, config.objective) == ("mean_squared_error", "spearman")
    assert Config(task="regression(train='x.csv')", loss="huber").loss == "huber"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"loss": "cross_entropy"},
            "loss=cross_entropy can't be used with a text regression model; use",
        ),
        ({"loss": "focal"}, "loss=focal can't be used with"),
        ({"regularizer": ("confidence_penalty",)}, "it needs probabilities"),
        ({"objective": "accuracy"}, "`objective` must be spearman, pearson, rmse, mae, r2 or loss"),
        ({"head": "classification"}, "head=classification can't be used with"),
        ({"schedule": "reduce_on_plateau(by='accuracy')"}, "reports no 'accuracy'"),
    ],
)
def test_what_is_made_for_classes_is_refused_by_name(settings, message):
    with pytest.raises(UserError, match=message):
        checks.check(Config(task="regression(train='x.csv')", **settings))


@pytest.mark.parametrize("regularizer", ["r_drop", "smart", "fgm"])
def test_regularizers_that_use_the_problem_s_divergence_fit(regularizer):
    checks.check(Config(task="regression(train='x.csv')", regularizer=(regularizer,)))


def test_losses_of_numbers_do_not_fit_classes():
    with pytest.raises(UserError, match="loss=huber can't be used with a text classifier; use"):
        checks.check(Config(loss="huber"))


def test_other_data_is_evaluated_with_the_run_s_task():
    recorded = "regression(train='a.csv', label='x,y', scale='none')"
    task = evaluation_task("classification(train='b.csv')", recorded, {"text": ["t"]})
    assert task == "regression(train='b.csv', text='t', label='x,y', scale='none')"
