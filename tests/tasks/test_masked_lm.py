"""Texts to pretrain on, from files and other tasks: their answers are never read."""

import json

import pytest

from ftkeras import catalog
from ftkeras.errors import UserError
from ftkeras.support.specs import Spec

CONLL = "-DOCSTART- O\n\nAnna B-PER\nsaw O\nParis B-LOC\n\nShe O\nleft O\n"
QUESTIONS = {
    "version": "1.1",
    "data": [
        {
            "title": "Oslo",
            "paragraphs": [
                {
                    "context": "Oslo is the capital of Norway.",
                    "qas": [
                        {
                            "id": str(number),
                            "question": question,
                            "answers": [{"text": "Norway", "answer_start": 23}],
                        }
                        for number, question in enumerate(["Where is Oslo?", "Whose capital?"])
                    ],
                }
            ],
        }
    ],
}


def texts(folder, split="train", **arguments):
    task = catalog.build("task", str(Spec("masked_lm", arguments)), data_dir=str(folder))
    rows = list(task.splits()[split].as_numpy_iterator())
    assert {int(row["label"]) for row in rows} <= {0}
    return [row["text"].decode() for row in rows]


@pytest.mark.parametrize("name", ["names.conll", "names.txt"])
def test_tags_are_not_read_as_text(name, tmp_path):
    (tmp_path / name).write_text(CONLL * 3)
    found = texts(tmp_path, train=name)
    assert set(found) == {"Anna saw Paris", "She left"}


def test_questions_and_contexts_are_read_once_and_answers_not_at_all(tmp_path):
    (tmp_path / "q.json").write_text(json.dumps(QUESTIONS))
    expected = ["Oslo is the capital of Norway.", "Where is Oslo?", "Whose capital?"]
    assert texts(tmp_path, train="q.json") == expected


def test_texts_of_another_task_are_those_that_it_reads(tmp_path):
    (tmp_path / "pairs.csv").write_text("a,b,same\none,two,0\nthree,four,1\n")
    task = "classification(train='pairs.csv', text='a', pair='b', label='same')"
    assert texts(tmp_path, of=task) == ["one", "two", "three", "four"]


def test_texts_that_a_run_holds_out_are_the_test_split(tmp_path):
    (tmp_path / "all.txt").write_text("one\ntwo\n")
    file = tmp_path / "held_out.jsonl"
    file.write_text('{"text": "two\\nor\u2028three lines"}\n')
    given = {"train": "all.txt", "held_out": str(file)}
    assert texts(tmp_path, "test", **given) == ["two\nor\u2028three lines"]
    assert texts(tmp_path, **given) == ["one", "two"]
    task = catalog.build("task", str(Spec("masked_lm", given)), data_dir=str(tmp_path))
    assert task.files()["test"] == [file]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "`of` or `train` must be given, not both"),
        ({"of": "imdb", "train": "all.txt"}, "`of` or `train` must be given, not both"),
        ({"of": "imdb", "test": "t.txt"}, "`test` is for `train`; give it to the task of `of`"),
        ({"of": "imdb", "header": False}, "`header` is for `train`; .* False with of='imdb'"),
        ({"of": "nothing"}, "`of` must be one of classification, "),
        ({"of": "imdb(nothing=1)"}, "unexpected keyword argument 'nothing'"),
        ({"train": "a.txt", "test": "b.txt", "held_out": "c"}, "`held_out` is for data without"),
        ({"train": "empty.txt"}, "`data`: empty.txt has no text"),
        ({"train": "all.txt", "held_out": "gone.jsonl"}, "`held_out`: gone.jsonl can't be read"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "all.txt").write_text("one\n")
    with pytest.raises(UserError, match=message) as caught:
        split = "test" if "gone.jsonl" in arguments.values() else "train"
        _read(tmp_path, split, arguments)
    assert "\n" not in str(caught.value)


def _read(folder, split, arguments):
    from ftkeras.data.sources.stream import reraise_user_errors

    with reraise_user_errors():
        texts(folder, split, **arguments)
