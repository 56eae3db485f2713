"""The task of questions: what it reads, reports and refuses."""

import json

import pytest

from ftkeras.errors import UserError
from ftkeras.support import answers
from ftkeras.tasks.classification import Classification
from ftkeras.tasks.question_answering import QuestionAnswering
from tests import questions


@pytest.fixture
def reviews(tmp_path, monkeypatch):
    """Return the questions of a file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return questions.write_squad(tmp_path / "train.json", 30)


def test_questions_contexts_and_answers_are_read(reviews):
    assert Classification(train="train.json").better_task()[0] == "question_answering"
    task = QuestionAnswering(train="train.json")
    found = list(task.splits()["train"].as_numpy_iterator())
    assert [row["text"].decode() for row in found] == [row["question"] for row in reviews]
    assert [row["pair"].decode() for row in found] == [row["context"] for row in reviews]
    stored = [answers.decode(row["label"]) for row in found]
    assert [each.id for each in stored] == [row["id"] for row in reviews]
    wanted = [[(a["answer_start"], a["text"]) for a in row["answers"]] for row in reviews]
    assert [list(each.answers) for each in stored] == wanted
    without = sum(not row["answers"] for row in reviews)
    assert f"{without} of {len(reviews)} without an answer" in task.notes


def test_no_answer_follows_from_the_data(reviews, tmp_path):
    assert QuestionAnswering(train="train.json").problem().no_answer
    with pytest.raises(UserError, match="`no_answer` is False, but .* have no answer"):
        QuestionAnswering(train="train.json", no_answer=False).splits()
    questions.write_squad(tmp_path / "all.json", 30, no_answer=False)
    assert not QuestionAnswering(train="all.json").problem().no_answer
    assert QuestionAnswering(train="all.json", no_answer=True).problem().no_answer
    # A run that is evaluated has recorded it, and its data need not be there.
    assert QuestionAnswering(train="gone.json", known_labels=("start", "end")).problem().no_answer


def test_answers_that_were_moved_are_counted(reviews, tmp_path):
    whole = json.loads((tmp_path / "train.json").read_text())
    paragraphs = whole["data"][0]["paragraphs"]
    given = [(row["context"], a) for row in paragraphs for a in row["qas"][0]["answers"]]
    first = next(answer for context, answer in given if context.count(answer["text"]) == 1)
    first["answer_start"] += 1
    (tmp_path / "train.json").write_text(json.dumps(whole))
    notes = " ".join(QuestionAnswering(train="train.json").notes)
    assert "1 answer was not at the given character" in notes


def test_an_answer_that_often_ends_its_context_is_noted(reviews, tmp_path):
    row = '{"question": "When?", "context": "No. %d NONE ", "answer": "NONE", "start": %d}\n'
    rows = [row % (n, len(f"No. {n} ")) for n in range(12)]
    (tmp_path / "a.jsonl").write_text("".join(rows[:9]))
    assert "NONE" not in " ".join(QuestionAnswering(train="a.jsonl").notes)
    (tmp_path / "a.jsonl").write_text("".join(rows))
    expected = "12 of 12 have the answer 'NONE' at the end of their context"
    assert expected in " ".join(QuestionAnswering(train="a.jsonl").notes)


def test_columns_are_those_that_were_read(reviews, tmp_path):
    expected = {"text": ["question"], "pair": "context"}
    assert QuestionAnswering(train="train.json").columns == expected
    (tmp_path / "a.csv").write_text("question,context,a,start\nWhen?,In July.,July,3\n")
    columns = QuestionAnswering(train="a.csv", label="a").columns
    assert columns == {"text": ["question"], "pair": "context", "label": "a"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", "high"), ("longest", 0), ("n_best", -1), ("test", ())],
)
def test_bad_argument_is_named(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        QuestionAnswering(train="train.json", **{name: value})
