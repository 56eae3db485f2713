"""Inputs of `predict`: texts, lines, and tables of every format with the run's columns."""

import io
import json
import os
import sys
import threading

import pytest

from ftkeras.config.predict import PredictConfig
from ftkeras.errors import UserError
from ftkeras.prediction import inputs

ROWS = [("1", "Fine, really.", "x"), ("2", "Dull;\nslow", "y"), ("3", "", "x")]


def _csv(rows=ROWS, header=("id", "review", "stars"), delimiter=",") -> str:
    lines = [header, *rows] if header else rows
    return "".join(delimiter.join(f'"{v}"' for v in line) + "\n" for line in lines)


def _open(recorded=None, takes_pairs=False, takes_options=False, takes_contexts=False, **given):
    kinds = {
        "takes_pairs": takes_pairs or takes_options,
        "takes_options": takes_options,
        "takes_contexts": takes_contexts,
    }
    return inputs.open_inputs(PredictConfig(**given), recorded or {}, **kinds)


def _texts(found) -> list:
    return [item.text if item.pair is None else (item.text, item.pair) for item in found.items]


def _write(path, name):
    """Write ROWS in the format of a file name, and return the path."""
    file, names = path / name, ("id", "review", "stars")
    records = [dict(zip(names, row, strict=True)) for row in ROWS]
    if name.endswith(".csv"):
        file.write_text(_csv(delimiter=";"))
    elif name.endswith(".jsonl"):
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    elif name.endswith(".json"):
        file.write_text(json.dumps(records))
    elif name.endswith(".parquet"):
        import pyarrow as arrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(arrow.Table.from_pylist(records), file)
    else:
        import openpyxl

        book = openpyxl.Workbook()
        for row in [names, *ROWS]:
            book.active.append(row)
        book.save(file)
    return str(file)


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.json", "x.parquet", "x.xlsx"])
def test_every_format_is_read_by_the_columns_of_the_run(tmp_path, name):
    found = _open({"text": ["review"], "pair": None}, input=_write(tmp_path, name))
    assert found.columns == ("id", "review", "stars")
    assert found.notes[-1] == "text from 'review'"
    items = list(found.items)
    assert [item.text for item in items] == [row[1] for row in ROWS]
    assert [item.row[0] for item in items] == ["1", "2", "3"]


def test_several_columns_are_joined_as_in_training(tmp_path):
    (tmp_path / "x.csv").write_text(_csv(header=None))
    found = _open({"text": ["1", "2"]}, input=str(tmp_path / "x.csv"))
    assert _texts(found)[0] == "Fine, really.\nx"


def test_flag_wins_over_the_columns_of_the_run(tmp_path):
    (tmp_path / "x.csv").write_text(_csv())
    found = _open({"text": ["review"]}, input=str(tmp_path / "x.csv"), text_column="stars,review")
    assert _texts(found)[0] == "x\nFine, really."


def test_second_text_of_pairs(tmp_path):
    (tmp_path / "x.csv").write_text(_csv())
    given = {"input": str(tmp_path / "x.csv"), "takes_pairs": True}
    found = _open({"text": ["review"], "pair": "stars"}, **given)
    assert _texts(found)[0] == ("Fine, really.", "x")
    with pytest.raises(UserError, match="`pair_column`: name the column"):
        _open({"text": ["review"]}, **given)


def test_column_of_the_run_that_is_missing_is_named(tmp_path):
    (tmp_path / "x.csv").write_text(_csv())
    with pytest.raises(UserError, match="`text_column`: .* has no column 'body'"):
        _open({"text": ["body"]}, input=str(tmp_path / "x.csv"))


def test_only_column_is_the_text(tmp_path):
    (tmp_path / "x.csv").write_text('comment\nFine\n"Dull, slow"\n')
    assert _texts(_open({"text": ["body"]}, input=str(tmp_path / "x.csv"))) == [
        "Fine",
        "Dull, slow",
    ]


def test_one_row_below_the_header_of_the_run(tmp_path):
    (tmp_path / "x.csv").write_text("stars,body\nx,Fine\n")
    assert _texts(_open({"text": ["body"]}, input=str(tmp_path / "x.csv"))) == ["Fine"]


def test_text_is_inferred_if_the_run_is_of_no_table(tmp_path):
    (tmp_path / "x.csv").write_text(_csv())
    assert _texts(_open(input=str(tmp_path / "x.csv")))[0] == "Fine, really."


@pytest.mark.parametrize("name", ["x.txt", "x", "x.log"])
def test_each_line_of_another_file_is_a_text(tmp_path, name):
    (tmp_path / name).write_bytes(b"id,text\r\na\n\nb")
    found = _open({"text": ["review"]}, input=str(tmp_path / name))
    assert (found.columns, found.notes) == (("text",), ())
    assert _texts(found) == ["id,text", "a", "", "b"]


@pytest.mark.parametrize("encoding", [None, "utf-8", "latin-1", "utf-16"])
def test_lines_of_a_pipe_are_all_read(tmp_path, encoding):
    os.mkfifo(tmp_path / "pipe")
    raw = "a long café\nb\n".encode(encoding or "utf-8")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(raw,))
    writer.start()
    found = _open(input=str(tmp_path / "pipe"), encoding=encoding)
    assert _texts(found) == ["a long café", "b"]
    writer.join()


def test_flag_of_tables_makes_a_table_of_another_file(tmp_path):
    (tmp_path / "x.dat").write_text("a|b\nc|d\n")
    found = _open(input=str(tmp_path / "x.dat"), delimiter="|", header=False, text_column="1")
    assert _texts(found) == ["b", "d"]


def test_pattern_stands_for_several_files(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(_csv())
    assert len(_texts(_open({"text": ["review"]}, input=str(tmp_path / "*.csv")))) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "^input=.* can't be read: there is no such file"),
        ("", "^`input`: .* is empty"),
        ("a,text\n1,x\n2\n3,y,z\n" * 9, "`input`"),
    ],
)
def test_bad_file_is_refused_by_the_name_of_the_flag(tmp_path, content, message):
    if content is not None:
        (tmp_path / "x.csv").write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        _texts(_open(input=str(tmp_path / "x.csv"), delimiter="," if content else None))
    assert "`data`" not in str(caught.value)


def test_texts_of_the_command_line():
    assert _texts(_open(text=("a\tb",))) == ["a\tb"]
    assert _texts(_open(text=("a\tb",), takes_pairs=True)) == [("a", "b")]
    assert _texts(_open(text=("a", "c"), pair=("b", "d\t"), takes_pairs=True)) == [
        ("a", "b"),
        ("c", "d\t"),
    ]
    with pytest.raises(UserError, match="one tab between"):
        _texts(_open(text=("a",), takes_pairs=True))


def test_options_follow_their_question_with_tabs_between(tmp_path):
    (tmp_path / "x.txt").write_text("Who?\tI\tyou\twe\n")
    assert _texts(_open(takes_options=True, input=str(tmp_path / "x.txt"))) == [
        ("Who?", "I\tyou\twe")
    ]
    (tmp_path / "x.csv").write_text("q,a,b,c\nWho?,I,you,\nWhat?,this,that one,it\n")
    recorded = {"text": ["q"], "pair": ["a", "b", "c"]}
    found = _open(recorded, takes_options=True, input=str(tmp_path / "x.csv"))
    assert found.notes[-2:] == ("question from 'q'", "options from 'a' and 'b' and 'c'")
    assert _texts(found) == [("Who?", "I\tyou"), ("What?", "this\tthat one\tit")]
    (tmp_path / "x.jsonl").write_text('{"q": "Who?", "o": ["I", "all  of\\nyou"]}\n')
    listed = {"text_column": "q", "pair_column": "o", "input": str(tmp_path / "x.jsonl")}
    assert _texts(_open(takes_options=True, **listed)) == [("Who?", "I\tall of you")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_mark_of_a_file_of_lines_tells_its_encoding(tmp_path, encoding):
    texts = ["Schön, 普通 🙂", "", "Öde.", "ein\u2028Satz"]
    (tmp_path / "x.txt").write_text("\r\n".join(texts) + "\r\n", encoding=encoding, newline="")
    found = _open(input=str(tmp_path / "x.txt"))
    assert found.count() == 4
    assert _texts(found) == texts


def test_question_that_is_no_text_is_refused_by_the_name_of_the_flag(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"q": 3, "a": "I", "b": "you"}\n')
    given = {"text_column": "q", "pair_column": "a,b", "input": str(tmp_path / "x.jsonl")}
    with pytest.raises(UserError, match="^`input`: line 1 .* must be a string. Received: 3"):
        _texts(_open(takes_options=True, **given))


def test_question_without_options_is_refused(tmp_path):
    with pytest.raises(UserError, match="a question and its options per line, with tabs"):
        _texts(_open(takes_options=True, text=("Who?",)))
    (tmp_path / "x.csv").write_text("q,a,b\nWho?,I,\n")
    given = {"text_column": "q", "pair_column": "a,b", "input": str(tmp_path / "x.csv")}
    with pytest.raises(UserError, match="`input`: line 2 of .*two or more options"):
        _texts(_open(takes_options=True, **given))
    with pytest.raises(UserError, match="`pair_column`: the options .* must be named"):
        _open(takes_options=True, **{**given, "pair_column": None})


def test_questions_in_the_layout_of_squad_are_read_without_their_answers(tmp_path):
    qas = [{"id": "q1", "question": "Who?"}, {"id": 2, "question": "When?", "answers": "none"}]
    paragraphs = [{"context": "Ann, in 1969.", "qas": qas}]
    (tmp_path / "x.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    given = {"input": str(tmp_path / "x.json"), "takes_pairs": True, "takes_contexts": True}
    found = _open({"text": ["q"], "pair": "c"}, **given)
    assert (found.columns, found.notes) == (("id", "question", "context"), ("SQuAD's layout",))
    assert found.count() == 2
    items = list(found.items)
    assert [item.row for item in items] == [
        ("q1", "Who?", "Ann, in 1969."),
        ("2", "When?", "Ann, in 1969."),
    ]
    assert [(item.text, item.pair) for item in items] == [item.row[1:] for item in items]


def test_question_without_a_text_is_named(tmp_path):
    paragraphs = [{"context": "Ann, in 1969.", "qas": [{"id": "q1"}]}]
    (tmp_path / "x.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    given = {"input": str(tmp_path / "x.json"), "takes_pairs": True, "takes_contexts": True}
    with pytest.raises(UserError, match="`input`: question 'q1' of .* lacks 'question'"):
        _texts(_open(**given))


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.json", "x.txt"])
def test_items_are_counted_without_being_used_up(tmp_path, name):
    if name == "x.txt":
        (tmp_path / name).write_text("a\nb\nc\n")
    else:
        _write(tmp_path, name)
    found = _open({"text": ["review"]}, input=str(tmp_path / name))
    assert found.count() == 3
    assert len(_texts(found)) == 3


def test_pipe_is_not_counted(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("a\n",))
    writer.start()
    found = _open(input=str(tmp_path / "pipe"))
    assert found.count is None
    assert _texts(found) == ["a"]
    writer.join()


def test_lines_are_read_in_the_encoding_that_is_given(tmp_path):
    (tmp_path / "a.txt").write_bytes("caf\u00e9\nna\u00efve\n".encode("cp1252"))
    found = _open(input=str(tmp_path / "a.txt"), encoding="cp1252")
    assert [item.text for item in found.items] == ["caf\u00e9", "na\u00efve"]
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfone\ntwo\n")
    found = _open(input=str(tmp_path / "b.txt"))
    assert [item.text for item in found.items] == ["one", "two"]


def test_line_that_is_not_utf8_is_refused_unless_its_encoding_is_given(tmp_path, caplog):
    (tmp_path / "a.txt").write_bytes(b"fine\ncaf\xe9\n")
    with pytest.raises(UserError, match=r"^`input`: line 2 of .*a.txt' is not UTF-8 .*encoding="):
        _open(input=str(tmp_path / "a.txt"))
    found = _open(input=str(tmp_path / "a.txt"), encoding="utf-8")
    assert _texts(found) == ["fine", "caf\ufffd"]
    assert "1 character of" in caplog.text


def test_lines_of_standard_input_that_are_not_utf8_are_counted(monkeypatch, caplog):
    raw = b"\xef\xbb\xbffine\n\xe9\xe8\n\xef\xbf\xbd\n\xff\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert _texts(_open(input="-")) == ["fine", "\ufffd\ufffd", "\ufffd", "\ufffd"]
    assert "2 lines are not UTF-8 in standard input" in caplog.text


@pytest.mark.parametrize("given", [{}, {"input": "-"}, {"text": ("a",)}])
def test_what_describes_a_file_needs_one(given):
    with pytest.raises(UserError, match="`text_column` describes a file; name it with `input`"):
        PredictConfig(text_column="review", **given)
