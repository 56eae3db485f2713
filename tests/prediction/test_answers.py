"""Files of answers: the columns of the input with their values, and those of the model."""

import csv
import itertools
import json
import pathlib

import pytest

from ftkeras.errors import UserError
from ftkeras.prediction import answers, drafts
from ftkeras.prediction.inputs import Inputs, Item, files_read
from ftkeras.problems.classification import Classification

X = pathlib.Path("x.csv")
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


def _items(values) -> list[Item]:
    return [Item(str(row[-1]), None, row) for row in values]


def _write(path, values=VALUES, schema=None):
    rows = zip(values, ANSWERS, strict=True)
    rows = [(*value, *PROBLEM.answer_cells(answer)) for value, answer in rows]
    with answers.open_answers(str(path), _inputs(schema=schema), PROBLEM.answer_columns()) as draft:
        draft.write(_items(values[:1]), rows[:1])
        draft.write(_items(values[1:]), rows[1:])


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


FORMATS = pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
TEXTS = [(str(n), f"text {n}") for n in range(11)]


def _answer(path, texts=TEXTS, *, fails_after=None, resume=True, **settings):
    """Answer texts in chunks; fail after some of them."""
    items, inputs = iter(_items(texts)), _inputs()
    columns, cells = PROBLEM.answer_columns(), PROBLEM.answer_cells(ANSWERS[0])
    opened = answers.open_answers(str(path), inputs, columns, settings=settings, resume=resume)
    with opened as draft:
        draft.skip_answered(items)
        while chunk := list(itertools.islice(items, answers.CHUNK)):
            if draft.count == fails_after:
                raise UserError("broken")
            draft.write(chunk, [(*item.row, *cells) for item in chunk])


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(answers, "CHUNK", 4)


@FORMATS
def test_failure_before_the_first_chunk_leaves_the_file_as_it_was(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_text("before")
    with pytest.raises(UserError, match="broken"):
        _answer(path, fails_after=0)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"


@FORMATS
def test_resumed_answers_are_those_without_an_interruption(tmp_path, suffix, small_chunks):
    whole, path = tmp_path / f"whole.{suffix}", tmp_path / f"x.{suffix}"
    _answer(whole)
    path.write_text("before")
    for fails_after in (4, 8):
        with pytest.raises(UserError, match="broken"):
            _answer(path, fails_after=fails_after)
        assert path.read_text() == "before"
        for part in pathlib.Path(f"{path}.partial").glob("rows*"):
            with part.open("a") as file:
                file.write("half a chunk that was never comp")
    _answer(path)
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [whole.name, path.name]


def test_input_that_grew_is_answered_to_its_end(tmp_path, small_chunks):
    with pytest.raises(UserError, match="broken"):
        _answer(tmp_path / "x.csv", TEXTS[:9], fails_after=8)
    _answer(tmp_path / "x.csv")
    _answer(tmp_path / "whole.csv")
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resume": False}, "was interrupted after 4 answers; `resume` continues, or delete"),
        ({"threshold": "0.5"}, "have threshold None, not '0.5'; use the same"),
        ({"model": "a/2 cd", "threshold": None}, "have model 'a/1 ab', not 'a/2 cd'"),
        ({"texts": TEXTS[1:]}, "the first 4 texts of the input are not those with answers"),
        ({"texts": TEXTS[:3]}, "the first 4 texts of the input are not those with answers"),
    ],
)
def test_what_cannot_be_resumed_is_refused(tmp_path, small_chunks, given, message):
    path, settings = tmp_path / "x.csv", {"model": "a/1 ab", "threshold": None}
    with pytest.raises(UserError, match="broken"):
        _answer(path, fails_after=4, **settings)
    with pytest.raises(UserError, match=message):
        _answer(path, **{**settings, **given})
    _answer(path, **settings)
    assert len(path.read_text().splitlines()) == 12


@FORMATS
def test_lost_rows_are_noticed(tmp_path, suffix, small_chunks):
    path = tmp_path / f"x.{suffix}"
    with pytest.raises(UserError, match="broken"):
        _answer(path, fails_after=4)
    next(
        p for p in pathlib.Path(f"{path}.partial").glob("[rp]*") if p.suffix == path.suffix
    ).unlink()
    with pytest.raises(UserError, match="has lost answers; delete .*x.* to start"):
        _answer(path)


def test_two_processes_cannot_write_the_same_file(tmp_path):
    columns = PROBLEM.answer_columns()
    with (
        answers.open_answers(str(tmp_path / "x.csv"), _inputs(), columns),
        pytest.raises(UserError, match=r"x\.csv is being written by another process"),
        answers.open_answers(str(tmp_path / "x.csv"), _inputs(), columns, resume=True),
    ):
        pass


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
        answers.check_output(output, _inputs(columns), [X], PROBLEM.answer_columns())


def test_no_file_of_a_pattern_is_overwritten(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text\nFine.\n")
    for given in (tmp_path / "*.csv", tmp_path):
        read = files_read(str(given))
        with pytest.raises(UserError, match="b.csv is the input; write another file"):
            answers.check_output(str(tmp_path / "b.csv"), _inputs(), read, {})
    assert files_read("-") == files_read(None) == []


def test_two_columns_of_one_name_may_be_written_as_csv(tmp_path):
    answers.check_output(
        str(tmp_path / "y.csv"), _inputs(("a", "a")), [X], PROBLEM.answer_columns()
    )


def test_carriage_returns_stay_within_their_cell(tmp_path):
    rows = [("one\rtwo", "a"), ("three\r\nfour", "b"), ("five\nsix", 'c"d')]
    path = tmp_path / "x.csv"
    path.write_text(drafts._as_csv(rows), encoding="utf-8", newline="")
    with path.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [list(row) for row in rows]


def test_bytes_are_text_or_base64():
    rows = [(b"caf\xc3\xa9", [b"\xff", b"a"])]
    assert drafts._as_csv(rows) == 'café,"[""/w=="", ""a""]"\n'
