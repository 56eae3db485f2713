"""Classification of the user's own files."""

import json

import pytest

from ftkeras.errors import UserError
from ftkeras.tasks.classification import Classification
from tests.data.sources.reading import elements

FILES = {
    "train.csv": "text,label\na,no\nb,yes\n",
    "test.tsv": "text\tlabel\nc\tyes\n",
    "more.jsonl": '{"text": "d", "label": "no"}\n',
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return str(tmp_path)


def test_three_formats_share_the_labels_of_train(folder):
    task = Classification(
        train="train.csv", test="test.tsv", validation="more.jsonl", data_dir=folder
    )
    splits = task.splits()
    assert task.labels == ("no", "yes")
    assert not task.pairs
    assert {name: elements(split) for name, split in splits.items()} == {
        "train": [(b"a", 0), (b"b", 1)],
        "test": [(b"c", 1)],
        "validation": [(b"d", 0)],
    }


def test_relative_files_without_data_dir_are_in_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    task = Classification(train="train.csv", test=f"{folder}/test.tsv")
    assert task.labels == ("no", "yes")
    assert elements(task.splits()["test"]) == [(b"c", 1)]


@pytest.mark.parametrize("labels", ["yes, no", ("yes", "no"), ["yes", "no"]])
def test_given_labels_keep_their_order(folder, labels):
    task = Classification(train="train.csv", test="test.tsv", labels=labels, data_dir=folder)
    assert task.labels == ("yes", "no")
    assert elements(task.splits()["train"]) == [(b"a", 1), (b"b", 0)]


def test_label_of_test_that_train_lacks_names_its_line(folder, tmp_path):
    (tmp_path / "test.tsv").write_text("text\tlabel\nc\tyes\nd\tmaybe\n")
    test = Classification(train="train.csv", test="test.tsv", data_dir=folder).splits()["test"]
    with pytest.raises(UserError, match="line 3 .* the label 'maybe'; the labels are 'no', 'yes'"):
        elements(test)


def test_file_without_examples_is_refused(folder, tmp_path):
    (tmp_path / "none.csv").write_text("text,label\n")
    for columns in ({}, {"text": "text", "label": "label"}):
        task = Classification(train="none.csv", header=True, data_dir=folder, **columns)
        with pytest.raises(UserError, match="none.csv' has no examples"):
            _ = task.labels


def test_column_of_labels_that_was_named_is_not_asked_for_again(folder, tmp_path):
    rows = "".join(f"text {n},{n}%\n" for n in range(9))
    (tmp_path / "shares.csv").write_text(f"text,share\n{rows}")
    task = Classification(train="shares.csv", label="share", data_dir=folder)
    with pytest.raises(UserError, match="write numbers as 3.5, .* Received: '0%'"):
        _ = task.labels


def test_one_label_only_is_refused(folder, tmp_path):
    (tmp_path / "train.csv").write_text("text,label\na,no\nb,no\n")
    with pytest.raises(UserError, match="every label of .* is 'no'"):
        Classification(train="train.csv", test="test.tsv", data_dir=folder).splits()


def test_missing_file_is_named_before_anything_is_read(folder):
    with pytest.raises(UserError, match=r"gone\.csv"):
        Classification(train="train.csv", test="gone.csv", data_dir=folder).splits()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": ()}, "`train` must name a file. Received: ()"),
        ({"validation": ""}, "`validation` must name a file. Received: ''"),
        ({"labels": "a"}, "`labels` must be two or more different names. Received: 'a'"),
        ({"labels": "a,b,a"}, "`labels`"),
        ({"labels": "a,,b"}, "`labels`"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match="Received") as raised:
        Classification(**({"train": "a.csv", "test": "b.csv"} | arguments))
    assert message in str(raised.value)


def test_labels_are_named_and_numbers_are_in_numerical_order(tmp_path):
    rows = "".join(f"text number {i},{i % 12}\n" for i in range(36))
    (tmp_path / "train.csv").write_text("text,label\n" + rows)
    task = Classification(train="train.csv", labels={"10": "ten"}, data_dir=str(tmp_path))
    assert task.labels == (*map(str, range(10)), "ten", "11")
    assert [label for _, label in elements(task.splits()["train"])] == [i % 12 for i in range(36)]


def test_several_text_columns_are_joined_and_notes_say_what_was_inferred(tmp_path):
    rows = "".join(f"{i % 4 + 1},Title of piece {i},Some words about it {i}\n" for i in range(20))
    (tmp_path / "news.csv").write_text(rows)
    task = Classification(train="news.csv", data_dir=str(tmp_path))
    assert elements(task.splits()["train"])[1] == (b"Title of piece 1\nSome words about it 1", 1)
    assert task.notes == (
        *("encoding utf-8", "delimiter ','", "no header"),
        *("label from column 0", "text from 1 and 2"),
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["a"], ["b", "a"]], "are lists, which is multi-label; use task=multi_label"),
        ([0.5, 1.25], "are numbers, which are no classes; use task=regression"),
        ([None, "a"], "line 1 .* has no label"),
    ],
)
def test_what_is_no_classification_says_so(tmp_path, labels, message):
    lines = [json.dumps({"text": f"t {i}", "label": labels[i % 2]}) for i in range(20)]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    with pytest.raises(UserError, match=message):
        Classification(train="train.jsonl", data_dir=str(tmp_path)).labels  # noqa: B018


@pytest.mark.parametrize("value", [3, ["a", "b"], {"a": 1}])
def test_text_that_is_no_string_is_refused_with_its_line(tmp_path, value):
    rows = [{"text": "a", "label": "x"}, {"text": value, "label": "y"}]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    task = Classification(train="train.jsonl", text="text", data_dir=str(tmp_path))
    with pytest.raises(UserError, match="line 2 .*a text must be a string"):
        elements(task.splits()["train"])


@pytest.mark.real_data
def test_real_pairs(shared_data):
    task = Classification(
        train="train.tsv",
        test="dev.tsv",
        text="#1 String",
        pair="#2 String",
        label="Quality",
        data_dir=str(shared_data / "mrpc"),
    )
    splits = task.splits()
    assert task.pairs
    assert task.labels == ("0", "1")
    assert len(elements(splits["train"])) == 3667
