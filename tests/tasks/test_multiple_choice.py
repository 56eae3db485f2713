"""Questions with options in the user's own files."""

import pytest

from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.tasks.classification import Classification
from ftkeras.tasks.multiple_choice import MultipleChoice

OPTIONS = ("a", "b", "c")


def _file(folder, name: str, *answers, header="question,choice0,choice1,choice2,answer") -> str:
    rows = [f"Which?,{','.join(OPTIONS)},{answer}" for answer in answers]
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return str(folder / name)


def _answers(task: Task, split: str) -> list[int]:
    return [int(example["label"]) for example in task.splits()[split].as_numpy_iterator()]


def test_notation_of_the_run_is_that_of_other_files_it_is_evaluated_on(tmp_path):
    """The other file alone would not show that its answers 1 and 2 are counted from 1."""
    run = MultipleChoice(train=_file(tmp_path, "train.csv", 1, 2, 3))
    assert run.columns["notation"] == "number from 1"
    other = {"train": _file(tmp_path, "other.csv", 1, 2), "known_labels": run.labels}
    assert _answers(MultipleChoice(**other), "train") == [1, 2]
    evaluated = MultipleChoice(**other, notation=run.columns["notation"])
    assert _answers(evaluated, "train") == [0, 1]
    assert "each answer is the number from 1 of an option" in evaluated.notes


def test_other_files_may_have_another_notation(tmp_path):
    other = _file(tmp_path, "other.csv", "A", "C")
    task = MultipleChoice(train=other, notation="number from 1", known_labels=OPTIONS)
    assert _answers(task, "train") == [0, 2]


def test_notation_that_is_asked_for_is_not_replaced(tmp_path):
    task = MultipleChoice(train=_file(tmp_path, "a.csv", 0, 1, 1), notation="number from 1")
    with (
        pytest.raises(UserError, match="line 2 of .*a.csv.* not the number from 1"),
        reraise_user_errors(),
    ):
        _answers(task, "train")


def test_answer_that_is_no_option_is_refused_with_its_line(tmp_path):
    task = MultipleChoice(train=_file(tmp_path, "a.csv", "A", "B", "E", "C"))
    message = (
        "line 4 of .*a.csv.* has the answer 'E', which is not the letter of one of its 3 options; "
        "correct it, or list the classes in `label_names`"
    )
    with pytest.raises(UserError, match=message), reraise_user_errors():
        _answers(task, "train")
    file = {"train": str(tmp_path / "a.csv"), "text": "question", "label": "answer"}
    classes = Classification(**file, labels="A,B,C,E")
    assert classes.better_task() is None
    assert _answers(classes, "train") == [0, 1, 3, 2]


def test_classification_warns_of_options_that_it_does_not_read(tmp_path):
    file = _file(tmp_path, "a.csv", "bad", "A", "bad", "A")
    task = Classification(train=file, text="question", label="answer")
    assert task.better_task() is None
    (warning,) = task.warnings
    assert "does not read 'choice0', 'choice1', 'choice2'" in warning
    read = ("question", "choice0", "choice1", "choice2")
    assert Classification(train=file, text=read, label="answer").warnings == ()


def test_unknown_notation_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`notation` must be .*Received: 'digit'"):
        MultipleChoice(train="a.csv", notation="digit")


def test_columns_of_one_name_are_told_apart_by_their_positions(tmp_path):
    header = "question,option,option,option,answer"
    train = _file(tmp_path, "train.csv", 0, 1, 2, header=header)
    task = MultipleChoice(train=train, test=train, text="question", label="answer", pair="1,2,3")
    assert task.columns["pair"] == [1, 2, 3]
    pairs = [row["pair"].decode() for row in task.splits()["test"].as_numpy_iterator()]
    assert pairs == ["a\nb\nc"] * 3


def test_test_file_without_an_option_column_is_refused_before_it_is_read(tmp_path):
    train = _file(tmp_path, "train.csv", 0, 1, 2)
    test = _file(tmp_path, "test.csv", 0, header="question,choice0,choice1,other,answer")
    with pytest.raises(UserError, match="`pair_column`.*'choice2'"):
        MultipleChoice(train=train, test=test).splits()
