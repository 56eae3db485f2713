"""Files of answers: the columns of the input with their values, and those of the model."""

import csv
import json

import pytest

from ftkeras.errors import UserError
from ftkeras.prediction import answers
from ftkeras.prediction.inputs import Inputs
from ftkeras.problems.classification import Classification

LABELS = ("no", "très, bon")
COLUMNS = ("id", "text")
VALUES = [(1, 'a "b", c'), (None, "d\ne\udcff"), (["x", float("nan")], "")]
PROBLEM = Classification(labels=LABELS)
ANSWERS = [
    {"label": "no", "score": 0.75, "probabilities": [0.75, 0.25]},
    *[{"label": LABELS[1], "score": 0.9, "probabilities": [0.1, 0.9]}] * 2,
]
NAMES = [*COLUMNS, "predicted", "probability_no", "probability_très, bon"]


def _inputs(columns=COLUMNS, schema=None) -> Inputs:
    return Inputs(columns, iter(()), schema=schema)


def _write(path, values=VALUES, schema=None):
    rows = zip(values, ANSWERS, strict=True)
    rows = [(*value, *PROBLEM.answer_cells(answer)) for value, answer in rows]
    with answers.open_answers(str(path), _inputs(schema=schema), PROBLEM.answer_columns()) as write:
        write(rows[:1])
        write(rows[1:])


def test_csv(tmp_path):
    _write(tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == NAMES
    assert rows[0] == ["1", 'a "b", c', "no", "0.75", "0.25"]
    assert rows[1] == ["", "d\ne\ufffd", LABELS[1], "0.1", "0.9"]
    assert rows[2][:2] == ['["x", null]', ""]


def test_jsonl_keeps_types(tmp_path):
    _write(tmp_path / "x.jsonl")
    lines = (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert list(rows[0]) == NAMES
    assert list(rows[0].values()) == [1, 'a "b", c', "no", 0.75, 0.25]
    assert [row["id"] for row in rows] == [1, None, ["x", None]]


def test_parquet_keeps_the_schema_of_the_input(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    _write(tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.column_names == NAMES
    assert table["id"].to_pylist() == ["1", None, '["x", null]']
    assert table["probability_no"].to_pylist() == pytest.approx([0.75, 0.1, 0.1])
    schema = arrow.schema([("id", arrow.int16()), ("text", arrow.string())])
    _write(tmp_path / "x.parquet", values=[(1, "a"), (None, "b"), (3, None)], schema=schema)
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.schema.field("id").type == arrow.int16()
    assert table["id"].to_pylist() == [1, None, 3]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_failure_leaves_the_file_as_it_was(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_text("before")
    with (
        pytest.raises(UserError, match="broken"),
        answers.open_answers(str(path), _inputs(), PROBLEM.answer_columns()) as write,
    ):
        write([("1", "a", *PROBLEM.answer_cells(ANSWERS[0]))])
        raise UserError("broken")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("columns", "output", "message"),
    [
        (("id", "predicted"), "y.csv", "'x.csv' has a column 'predicted', the name of a column"),
        (("a", "probability_no"), "y.csv", "'probability_no'"),
        (("a", "a"), "y.jsonl", "two columns 'a', which only a .csv"),
        (("a", "b"), "x.csv/y.csv", "output=.* can't be written"),
        (("a", "b"), "x.csv", "output=x.csv is the input"),
        (("a", "b"), "folder.csv", "output=folder.csv is a folder"),
    ],
)
def test_output_that_cannot_be_is_refused(tmp_path, monkeypatch, columns, output, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match=message):
        answers.check_output(output, _inputs(columns), "x.csv", PROBLEM.answer_columns())


def test_two_columns_of_one_name_may_be_written_as_csv(tmp_path):
    answers.check_output(
        str(tmp_path / "y.csv"), _inputs(("a", "a")), "x.csv", PROBLEM.answer_columns()
    )
