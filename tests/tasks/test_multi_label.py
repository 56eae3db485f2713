"""Several labels for texts in the user's own files."""

import json

import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.config.own_data import evaluation_task
from ftkeras.config.run import Config
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.errors import UserError
from ftkeras.experiment import checks, inferred_task
from ftkeras.tasks.classification import Classification
from ftkeras.tasks.multi_label import MultiLabel

LABELS = [["joy"], ["anger", "joy"], [], ["love"], ["love", "anger"], ["joy"]]
TARGETS = [[0, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 1], [0, 1, 0]]
NAMES = ("anger", "joy", "love")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(folder, cells, name="x.tsv", repeat=5):
    """Write a text and its labels in each line, several times."""
    cells = list(cells) * repeat
    texts = [f"a text with number {n}" for n in range(len(cells))]
    rows = zip(texts, cells, strict=True)
    (folder / name).write_text("text\tlabels\n" + "".join(f"{t}\t{c}\n" for t, c in rows))


def _targets(task) -> list[list[int]]:
    with reraise_user_errors():
        found = [row["label"].tolist() for row in task.splits()["train"].as_numpy_iterator()]
    return found[: len(TARGETS)]


@pytest.mark.parametrize("joint", [",", "; ", "|"])
def test_joined_labels_are_read_and_the_separator_is_reported(folder, joint):
    _write(folder, map(joint.join, LABELS))
    task = MultiLabel(train="x.tsv")
    assert task.labels == NAMES
    assert _targets(task) == TARGETS
    assert f"labels joined by {joint.strip()!r}" in task.notes


@pytest.mark.parametrize("write", [json.dumps, repr])
def test_lists_in_a_cell_are_read(folder, write):
    _write(folder, map(write, LABELS))
    task = MultiLabel(train="x.tsv")
    assert (task.labels, _targets(task)) == (NAMES, TARGETS)


def test_json_lines_have_lists(folder):
    lines = [{"text": f"a text with number {n}", "labels": x} for n, x in enumerate(LABELS * 5)]
    (folder / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    task = MultiLabel(train="x.jsonl")
    assert (task.labels, _targets(task)) == (NAMES, TARGETS)


def _write_columns(folder):
    rows = [f"a text with number {n},{a},{b},{c}" for n, (a, b, c) in enumerate(TARGETS * 5)]
    (folder / "x.csv").write_text("\n".join([f"text,{','.join(NAMES)}", *rows]) + "\n")


@pytest.mark.parametrize("label", ["love, anger", ("love", "anger")])
def test_columns_of_0_and_1_are_a_label_each(folder, label):
    _write_columns(folder)
    task = MultiLabel(train="x.csv", label=label)
    assert task.labels == ("love", "anger")
    assert _targets(task) == [[row[2], row[0]] for row in TARGETS]
    assert task.columns["label"] == ["love", "anger"]
    renamed = MultiLabel(train="x.csv", label=label, labels={"love": "Love"})
    assert renamed.labels == ("Love", "anger")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": {"jyo": "Joy"}}, "`label_names` names 'jyo', but the labels of 'x.csv' are"),
        ({"labels": {"joy": "love"}}, "`label_names` gives one name to several labels"),
        ({"labels": {"joy": " "}}, "`labels` must give labels names"),
        ({"label": "joy,joy"}, "`label_column` names a column of 'x.csv' twice"),
        ({"label": ("joy", 2)}, "`label_column` names a column of 'x.csv' twice"),
    ],
)
def test_names_and_columns_that_do_not_fit_are_refused(folder, arguments, message):
    _write_columns(folder)
    with pytest.raises((UserError, ValueError), match=message):
        MultiLabel(**{"train": "x.csv", "label": "joy,love", **arguments}).splits()


def test_many_columns_of_0_and_1_are_found(folder, capsys):
    _write_columns(folder)
    config = inferred_task.resolve(Config(data=("x.csv",)))
    shown = capsys.readouterr().out
    assert "task    multi_label, as the columns 'anger', 'joy', 'love' of 'x.csv'" in shown
    task = catalog.build("task", config.task)
    assert (task.labels, _targets(task)) == (NAMES, TARGETS)
    assert (config.loss, config.objective) == ("binary_cross_entropy", "micro_f1")
    checks.check(config)


def test_two_columns_of_0_and_1_stop_with_both_and_the_flag(folder):
    (folder / "x.csv").write_text("text,spam,reply\n" + "a b c,0,1\nd e f,1,1\ng h i,1,0\n" * 9)
    with pytest.raises(UserError, match="`label_column`: .* 'spam' or 'reply'; say which"):
        MultiLabel(train="x.csv").splits()


def test_columns_of_0_and_1_that_are_named_are_labels_and_numbers_are_not(folder):
    _write_columns(folder)
    assert Classification(train="x.csv", label="joy,love").better_task()[0] == "multi_label"
    (folder / "y.csv").write_text("text,joy,love\na b c,0,1\nd e f,2,0\n")
    assert Classification(train="y.csv", label="joy,love").better_task()[0] == "regression"


@pytest.mark.parametrize("value", ["2", "", "yes"])
def test_what_is_neither_0_nor_1_is_refused_with_its_line(folder, value):
    (folder / "x.csv").write_text(f"text,joy,love\na b c,0,1\nd e f,{value},0\n")
    with pytest.raises(UserError, match="line 3 of 'x.csv': .* must hold 0 or 1"):
        _targets(MultiLabel(train="x.csv", label="joy,love"))


def test_two_separators_are_ambiguous(folder):
    _write(folder, ["a,b;c", "a", "b;c", "c,a", "b", "c"])
    with pytest.raises(UserError, match="`label_separator`: .* ',', as in 'a,b;c' or ';'"):
        _targets(MultiLabel(train="x.tsv"))
    assert MultiLabel(train="x.tsv", separator=";").labels == ("a", "a,b", "b", "c", "c,a")
    # One of them joins labels that others have, the other does not.
    _write(folder, ["Food; Drinks", "Art, fine", "Food", "Art, fine; Food", "Drinks"])
    assert MultiLabel(train="x.tsv").labels == ("Art, fine", "Drinks", "Food")


def test_numbers_are_in_numerical_order_and_named_by_a_list(folder):
    _write(folder, ["10", "2,10", "", "0", "0,2", "1"])
    assert MultiLabel(train="x.tsv").labels == ("0", "1", "2", "10")
    names = [f"label {n}" for n in range(11)]
    (folder / "names.txt").write_text("\n".join(names) + "\n")
    config = Config(data=("x.tsv",), label_names="names.txt")
    task = catalog.build("task", inferred_task.resolve(config).task)
    assert task.labels == tuple(names)
    assert _targets(task)[1] == [int(n in (2, 10)) for n in range(11)]
    with pytest.raises(UserError, match="has the label '10'; the labels are 'a', 'b'"):
        _targets(MultiLabel(train="x.tsv", labels="a,b"))


def test_task_follows_from_the_labels_and_is_reported(folder, capsys):
    _write(folder, map(",".join, LABELS))
    config = inferred_task.resolve(Config(data=("x.tsv",)))
    assert config.task == "multi_label(train='x.tsv')"
    assert "task    multi_label, as texts of 'x.tsv' have several labels" in capsys.readouterr().out
    assert inferred_task.resolve(config) == config
    # Names that list the joined values too say that they are classes.
    values = {",".join(labels): "x" for labels in LABELS if labels}
    assert Classification(train="x.tsv", labels=values).better_task() is None
    given = Config(data=("x.tsv",), label_separator=",")
    assert given.task == "multi_label(train='x.tsv', separator=',')"


def test_what_is_no_label_is_refused_with_its_line(folder):
    lines = [{"text": f"text {n}", "labels": x} for n, x in enumerate([["a"], [["b"]]])]
    (folder / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(UserError, match="line 2 of 'x.jsonl': labels must be texts or numbers"):
        MultiLabel(train="x.jsonl", text="text", label="labels").splits()
    _write(folder, [""])
    with pytest.raises(UserError, match="no text of 'x.tsv' has a label in column 'labels'"):
        MultiLabel(train="x.tsv", text="text", label="labels").splits()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"threshold": "best"}, "`threshold` must be 'tuned' or a number from 0 to 1.*'best'"),
        ({"threshold": 1.5}, "`threshold` must be .*: 1.5"),
        ({"separator": ", "}, "`separator` must be one character"),
        ({"labels": "a,a"}, "`labels` must be one or more different names"),
    ],
)
def test_wrong_arguments_are_named(keys, message):
    with pytest.raises(ValueError, match=message):
        MultiLabel(train="x.tsv", **keys)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "cross_entropy"}, "loss=cross_entropy can't be used with a multi-label text"),
        ({"loss": "mean_squared_error"}, "can't be used with"),
        ({"objective": "accuracy"}, "`objective` must be micro_f1, macro_f1"),
        ({"head": "classification"}, "head=classification can't be used with"),
    ],
)
def test_what_is_made_for_one_label_is_refused_by_name(settings, message):
    with pytest.raises(UserError, match=message):
        checks.check(Config(task="multi_label(train='x.csv')", **settings))


@pytest.mark.parametrize("regularizer", ["r_drop", "smart", "confidence_penalty", "freelb"])
def test_regularizers_fit(regularizer):
    task = "multi_label(train='x.csv')"
    checks.check(Config(task=task, regularizer=(regularizer,), loss="focal"))


def test_other_data_is_evaluated_with_the_run_s_labels_and_separator(folder):
    recorded = "multi_label(train='a.tsv', separator=';', threshold=0.3)"
    task = evaluation_task("classification(train='b.tsv')", recorded, {"label": "labels"})
    assert task == "multi_label(train='b.tsv', label='labels', separator=';', threshold=0.3)"
    _write(folder, ["joy", "anger;joy", "", "anger"], name="b.tsv")
    built = catalog.build("task", task, known_labels=NAMES)
    assert np.array(_targets(built)).sum(axis=0).tolist() == [3, 4, 0]
    _write(folder, ["joy;fear"], name="b.tsv")
    with pytest.raises(UserError, match="has the label 'fear'; the labels are 'anger', 'joy'"):
        _targets(catalog.build("task", task, known_labels=NAMES))


def test_labels_that_are_joined_late_in_the_file_are_split(folder):
    early = "".join(f"text {n}\t{'joy' if n % 2 else 'anger'}\n" for n in range(10_500))
    (folder / "x.tsv").write_text(f"text\tlabels\n{early}late\tjoy,anger\n")
    assert MultiLabel(train="x.tsv").labels == ("anger", "joy")
