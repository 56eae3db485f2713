"""Questions from SQuAD's layout and from tables: where their answers are."""

import json

import pytest

from ftkeras.data.questions.question import locate
from ftkeras.data.questions.reading import find_questions, open_questions
from ftkeras.data.questions.records import Columns
from ftkeras.data.tables.reading import Options, open_data
from ftkeras.errors import UserError

NOT_NAMED = Columns()
CONTEXT = "Ünder 1969's moon 🌙, two men; in July two women."


def _squad(entries):
    return {"version": "v2.0", "data": [{"paragraphs": [{"context": CONTEXT, "qas": entries}]}]}


def _entry(text, start, **more):
    answers = [{"text": text, "answer_start": start}]
    return {"id": "q7", "question": "When?", "answers": answers, **more}


def _read(path, columns=NOT_NAMED):
    file = open_questions(path.name, path.parent, columns, Options())
    return file, [question for _, question in file.rows()]


def _found(path, columns=NOT_NAMED):
    def table():
        return open_data(path.name, path.parent, Options())

    return find_questions(path.name, path.parent, Options(), table, columns)


def test_answers_are_where_their_text_is():
    found = locate("When?", CONTEXT, [(" July ", CONTEXT.index(" July"))])
    assert found.answers == [(CONTEXT.index("July"), "July")]
    assert found.moved == 0
    moved = locate("When?", CONTEXT, [("1969", 0), ("July", None)])
    assert [CONTEXT[start:].startswith(text) for start, text in moved.answers] == [True, True]
    assert moved.moved == 2
    assert locate("When?", CONTEXT, [("", 0)]).answers == []


def test_answers_count_the_characters_that_the_model_reads():
    context = b"a\xffb\xe2\x82 July".decode("utf-8", "surrogateescape")
    ((start, text),) = locate("When?", context, [("July", context.index("July"))]).answers
    read = b"a\xffb\xe2\x82 July".decode("utf-8", "replace")
    assert read[start : start + len(text)] == "July"
    assert start < context.index("July")  # an invalid sequence of two bytes is one character


@pytest.mark.parametrize(
    ("text", "start", "message"),
    [
        ("two", 3, "is not at character 3, and occurs several times in"),
        ("August", 3, "does not occur in its context"),
        ("two", None, "has no start, and occurs several times"),
        ("July", -15, None),
        ("two", 10**9, "occurs several times"),
    ],
)
def test_answers_that_are_elsewhere_name_their_question(tmp_path, text, start, message):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(_squad([_entry(text, start)])))
    if message is None:
        assert _read(path)[1][0].moved == 1
        return
    with pytest.raises(UserError, match=message) as error:
        _read(path)
    assert "question 'q7' of" in str(error.value)


@pytest.mark.parametrize("indent", [None, 1])
def test_squad_is_read(tmp_path, indent):
    path = tmp_path / "dev.json"
    nothing = _entry("July", 3, is_impossible=True)
    entries = [_entry("1969", CONTEXT.index("1969")), nothing, {**nothing, "answers": []}]
    path.write_text(json.dumps(_squad(entries), indent=indent), encoding="utf-8")
    file, found = _read(path)
    assert [len(each.answers) for each in found] == [1, 0, 0]
    assert found[0].id == "q7"
    assert found[0].context == CONTEXT
    assert _found(path) == (str(path), file.layout)


def test_what_squad_lacks_is_named(tmp_path):
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"qas": [{}]}]}]}))
    with pytest.raises(UserError, match=r"data\[0\]\.paragraphs\[0\] lacks 'context'"):
        _read(path)
    path.write_text(json.dumps({"data": {"paragraphs": []}}))
    with pytest.raises(UserError, match="'data' of the file must be a list"):
        _read(path)
    path.write_text(json.dumps(_squad([{"id": "q7"}])))
    with pytest.raises(UserError, match="question 'q7' of .* lacks 'question'"):
        _read(path)
    path.write_text(json.dumps(_squad([]))[:-1])
    with pytest.raises(UserError, match="is not JSON"):
        _read(path)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (None, "question 'q7' .*: it lacks 'answers'"),
        ({"text": ["1969"]}, "'answers' of it must be a list"),
        ([{"text": "1969", "answer_start": "3"}], "'answer_start' must be an integer"),
        (["1969"], "an answer lacks 'text'"),
    ],
)
def test_answers_that_squad_does_not_have_are_refused(tmp_path, answers, message):
    entry = {"id": "q7", "question": "When?", "answers": answers}
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(_squad([{k: v for k, v in entry.items() if v is not None}])))
    with pytest.raises(UserError, match=message):
        _read(path)


def test_columns_that_the_user_names_hold_questions_if_the_answers_are_in_the_contexts(tmp_path):
    path, named = tmp_path / "train.csv", Columns(text="frage", pair="kontext", label="antwort")
    path.write_text("frage,kontext,antwort\nWann?,Im Juli 1969,Juli\nWo?,Auf dem Mond,\n")
    assert _found(path) is None
    assert _found(path, named)[0].endswith("train.csv")
    path.write_text("frage,kontext,antwort\nWann?,Im Juli 1969,ja\nWo?,Auf dem Mond,nein\n")
    assert _found(path, named) is None


def _rows(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_tables_are_read(tmp_path):
    start = CONTEXT.index("1969")
    row = {"id": 4, "question": "When?", "context": CONTEXT}
    path = tmp_path / "train.jsonl"
    path.write_text(
        _rows({**row, "answers": {"text": ["1969", "July"], "answer_start": [start, 0]}})
    )
    _, (found,) = _read(path)
    assert found.id == "4"
    assert [text for _, text in found.answers] == ["1969", "July"]
    assert found.moved == 1
    assert _found(path) is not None
    path = tmp_path / "train.csv"
    path.write_text(
        f'question,context,answer,answer_start\nWhen?,"{CONTEXT}",1969,"({start}, {start + 4})"\n'
        f'When?,"{CONTEXT}",,\n',
        encoding="utf-8",
    )
    file, found = _read(path)
    assert [each.answers for each in found] == [[(start, "1969")], []]
    assert _found(path) == (str(path), file.layout)
    assert file.columns["start"] == "answer_start"


JULY = CONTEXT.index("July")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"text": "July", "answer_start": JULY}, [(JULY, "July")]),
        ({"text": ["July"], "answer_start": JULY}, [(JULY, "July")]),
        ([{"text": "July", "answer_start": JULY}], [(JULY, "July")]),
        ({"text": [], "answer_start": None}, []),
        ({"text": None, "answer_start": None}, []),
        ([], []),
    ],
)
def test_answers_in_a_table_may_be_values_or_objects(tmp_path, answers, expected):
    squad = {"text": ["July"], "answer_start": [JULY]}
    row, path = {"question": "When?", "context": CONTEXT}, tmp_path / "train.jsonl"
    path.write_text(_rows({**row, "answers": squad}, {**row, "answers": answers}))
    _, (_, found) = _read(path)
    assert found.answers == expected
    assert _found(path) is not None


def test_answers_of_another_layout_are_refused(tmp_path):
    row = {"question": "When?", "context": CONTEXT, "answers": [{"texts": ["July"]}]}
    (tmp_path / "train.jsonl").write_text(_rows(row))
    with pytest.raises(UserError, match="answers must be texts, or have 'text' and 'answer_start'"):
        _read(tmp_path / "train.jsonl")


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(f'a,b,c\nWhen?,"{CONTEXT}",1969\n', encoding="utf-8")
    _, (found,) = _read(path, Columns(text="a", pair="b", label="c"))
    assert found.answers == [(CONTEXT.index("1969"), "1969")]
    with pytest.raises(UserError, match="`text_column`: name the column of .* with the question"):
        _read(path)


def test_yes_and_no_are_no_spans(tmp_path):
    path = tmp_path / "boolq.csv"
    path.write_text("question,passage,answer\nIs it?,It is.,yes\n")
    assert _found(path) is None


def test_a_start_must_be_a_number(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("question,context,answer,start\nWhen?,In 1969.,1969,soon\n")
    with pytest.raises(UserError, match="line 2 of .*must be an offset in characters"):
        _read(path)
